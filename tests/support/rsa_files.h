/* RSA keys with certificates, for clouds that want them; made anew, so nothing secret is in the
 * tree.
 */
#ifndef MUSTER_TESTS_RSA_FILES_H
#define MUSTER_TESTS_RSA_FILES_H

/* A private key of 2,048 bits and a certificate of it, both PEM. The caller frees it. */
char *rsa_pem_make(const char *name);

#endif
