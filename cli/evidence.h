#ifndef MUSTER_CLI_EVIDENCE_H
#define MUSTER_CLI_EVIDENCE_H

/* `muster evidence export VERDICT | --instance ID [--out FILE]`. */
int evidence_main(int argc, char **argv);

#endif
