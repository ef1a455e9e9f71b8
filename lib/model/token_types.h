/* Which kinds of token keepers sign, by their `typ` (trust.md section 6). A simulated one says so.
 */
#ifndef MUSTER_MODEL_TOKEN_TYPES_H
#define MUSTER_MODEL_TOKEN_TYPES_H

#define VERDICT_TYP "muster-verdict+jwt"
#define SIMULATED_VERDICT_TYP "muster-simulated-verdict+jwt"
#define OPINION_TYP "muster-opinion+jwt"
#define SIMULATED_OPINION_TYP "muster-simulated-opinion+jwt"
#define PASSPORT_TYP "muster-passport+jwt"
#define SIMULATED_PASSPORT_TYP "muster-simulated-passport+jwt"
#define TESTIMONY_TYP "muster-testimony+jwt"
#define SIMULATED_TESTIMONY_TYP "muster-simulated-testimony+jwt"

#define OPINION_AUDIENCE "muster-opinion" /* a passport's is the relying party's */

#endif
