/* The muster program: a table of commands. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/account.h"
#include "cli/api.h"
#include "cli/bench.h"
#include "cli/catalogue.h"
#include "cli/charter.h"
#include "cli/endorsements.h"
#include "cli/evidence.h"
#include "cli/explain.h"
#include "cli/fleet.h"
#include "cli/image.h"
#include "cli/keeper.h"
#include "cli/machines.h"
#include "cli/measure.h"
#include "cli/status.h"
#include "cli/token.h"
#include "cli/verify.h"
#include "lib/base/error.h"

enum { EXIT_USED_WRONGLY = 2 };

/* clang-format off */
static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the name */
    const char *usage;
} commands[] = {
    {"verify", "appraise evidence from files, without a network", verify_main,
     "muster verify snp --report FILE [--ek FILE] [--ca FILE]... [--cert-table FILE] [--crl FILE]...\n"
     "                  [--root FILE]... [--at RFC3339] [--expect FILE | --policy FILE]\n"
     "muster verify snp-azure --hcl FILE [--quote-msg FILE --quote-sig FILE] [--pcrs FILE] [--nonce HEX]\n"
     "                  [--event-log FILE] [--ek FILE] [--ca FILE]... [--crl FILE]...\n"
     "                  [--root FILE]... [--at RFC3339] [--expect FILE | --policy FILE]\n"
     "muster verify snp-vtpm --report FILE [--quote-msg FILE --quote-sig FILE] [--pcrs FILE]\n"
     "                  [--event-log FILE] [--ak FILE] [--ak-cert FILE | --manifest FILE |\n"
     "                  --document FILE [--document-root FILE]... [--nonce HEX]] [--binding HEX]\n"
     "                  [--ek FILE] [--ca FILE]... [--cert-table FILE] [--crl FILE]...\n"
     "                  [--root FILE]... [--at RFC3339] [--expect FILE | --policy FILE]\n"
     "muster verify nitro --document FILE\n"
     "                  [--root FILE]... [--at RFC3339] [--expect FILE | --policy FILE]\n"
     "muster verify eventlog --log FILE [--pcrs FILE]\n"
     "muster verify bundle --bundle FILE --root FILE... [--charter-signers FILE] [--amd-root FILE]...\n"
     "                  [--nitro-root FILE]... [--at RFC3339] [-o table|json]\n"
     "\n"
     "Prints one JSON object with verdict, reason, every check and the claims; exit code 0 when\n"
     "trusted, 3 when rejected, 2 when an argument or file cannot be used. --ek is a VCEK or VLEK,\n"
     "--ca any of ASK, ASVK and ARK; PEM or DER. --root replaces the built-in roots. Without\n"
     "--expect and --policy only authenticity is judged; --expect adds the conditions it names,\n"
     "--policy is a whole policy, default deny. --binding is what the report's data must answer, by\n"
     "itself or together with an SVSM's --manifest; --nonce what a quote or a document must.\n"
     "\n"
     "bundle checks what `muster evidence export` wrote, without trusting who wrote it: --root is the\n"
     "deployment's, --charter-signers the signers.json of the keys that sign its charters. A simulated\n"
     "deployment needs its --amd-root or --nitro-root, and is called simulated. Exit code 0 when the\n"
     "bundle is genuine (whatever its verdict), 3 when it is refused.\n"},
    {"measure", "the launch digest to expect, from firmware and kernel", measure_main,
     "muster measure --ovmf FILE --vcpus N [--vcpu-type NAME | --vcpu-sig HEX] [--vmm qemu|ec2|gce]\n"
     "               [--kernel FILE] [--initrd FILE] [--append TEXT] [--guest-features HEX]\n"
     "               [--ovmf-hash HEX] [--svsm FILE --ovmf-vars-size N] [--ec2-rdx HEX] [-o json]\n"
     "muster measure id-block --launch-digest HEX --policy HEX --guest-svn N --id-key FILE\n"
     "               [--author-key FILE] [--family-id HEX] [--image-id HEX] [-o json]\n"
     "\n"
     "Prints the digest in hex, with -o json all inputs and parts; exit code 3 with the reason when\n"
     "a firmware must be refused. --guest-features is 1 (SNP) unless told; hosts with debug swap have\n"
     "21. --ovmf-hash takes the digest of the firmware's pages instead of hashing them. EC2 hosts\n"
     "from before May 2026 need --ec2-rdx 0.\n"},
    {"bench", "measure this machine", bench_main,
     "muster bench verify-snp --report FILE... --ek FILE --ca FILE... [--cert-table FILE]\n"
     "                        [--root FILE]... [--at RFC3339] [--seconds N]\n"
     "\n"
     "Whole appraisals on one thread with the chain cached, per second of processor time.\n"},
    {"account", "try out a cloud account", account_main,
     "muster account test --file ACCOUNT.json [--wait SECONDS] [-o table|json]\n"
     "\n"
     "A full round from launch to terminate; needs no controller. ACCOUNT.json is what `muster\n"
     "accounts create` takes, with the image and the size to launch as its test. Exit code 0 when\n"
     "all went well; otherwise each step that failed is named, and each permission that is missing.\n"
     "\n"
     "muster account explain --file ANSWER.json\n"
     "\n"
     "What a cloud's answer (cloud, operation, response with status, headers, body) says: class of\n"
     "the error or null, whether to repeat, machines seen, and what will happen to hosts. The\n"
     "operation as the cloud calls it: ec2.RunInstances, VirtualMachines_CreateOrUpdate,\n"
     "instances.insert.\n"},
    {"keeper", "make a deployment and keep it going", keeper_main,
     "muster keeper init --dir DIR --realm simulation|production [--controller-name NAME]...\n"
     "                   [--controller URL]... [--simulator-root FILE]\n"
     "                   [--signer PUBLIC.pem]... [--threshold N] [--recovery CERT.pem]...\n"
     "muster keeper renew --dir DIR [--role ROLE]... [--new-key [--withdraw]]\n"
     "                    [--controller-name NAME]... [--days N]\n"
     "muster keeper recovery-test --dir DIR/recovery --key KEY.pem\n"
     "muster keeper recover --dir DIR/recovery --key KEY.pem --out KEK\n"
     "muster keeper reset-order --cert sign-cert.pem --realm REALM --least-serial N [--days N]\n"
     "                          --key KEY.pem --out ORDER.jws\n"
     "muster keeper reset-order --signed ORDER.jws --key KEY.pem --out ORDER.jws\n"
     "muster keeper destroy-order --cert sign-cert.pem --realm REALM [--anchor HEX]...\n"
     "                            [--guest-key HEX]... [--days N] --key KEY.pem --out ORDER.jws\n"
     "muster keeper destroy-order --signed ORDER.jws --key KEY.pem --out ORDER.jws\n"
     "muster keeper resume-order --cert sign-cert.pem --realm REALM --halt N [--days N]\n"
     "                           --key KEY.pem --out ORDER.jws\n"
     "muster keeper resume-order --signed ORDER.jws --key KEY.pem --out ORDER.jws\n"
     "\n"
     "init makes root, role certificates, key-encryption key, the keeper's memory and settings, a key\n"
     "that signs charters and a charter that allows nothing yet. Overwrites nothing. --controller\n"
     "is where the keeper dials (tls+tcp://HOST:PORT), --controller-name what stands in the\n"
     "controller's certificate. --signer pins another person's key beside the one that is made;\n"
     "--threshold is how many of them sign a charter. --recovery wraps the key-encryption key to an\n"
     "offline certificate: at least two, needed in production. recovery-test proves that the key of\n"
     "one of them opens it; recover brings the key-encryption key back into a new file.\n"
     "\n"
     "renew makes new certificates with the root's key in DIR/root, for 90 days or N, for the role keys\n"
     "in DIR/keeper and DIR/controller: of ROLE only, where that is said (controller, keeper-link,\n"
     "keeper-sign, keeper-import, keeper-opinion, keeper-passport). --new-key replaces the keys too;\n"
     "with --withdraw, for keys that were stolen, the old ones leave the list of keys for others at\n"
     "once. What is there stays until the new one takes its place; without key files the certificates\n"
     "say which keys they are for.\n"
     "\n"
     "reset-order writes, shows and signs the order that gives a keeper which lost its state file a\n"
     "new one; a second person adds a signature to it. Then: muster-keeper --reset-state ORDER.jws.\n"
     "\n"
     "destroy-order does so with the order that declares machines (by their anchor) and guests' link\n"
     "keys destroyed: a keeper that obeyed it gives them nothing any more, whatever a charter says.\n"
     "As many sign it as sign a charter. Then: muster-keeper --destroy ORDER.jws.\n"
     "\n"
     "resume-order does so with the order by which two people let a keeper release again that its own\n"
     "probes halted; N is the number of the halt. Then: muster-keeper --resume ORDER.jws.\n"},
    {"charter", "write, review, sign and show charters, offline", charter_main,
     "muster charter edit --file CHARTER.json [--set /POINTER=JSON]... [--remove /POINTER]... [--days N]\n"
     "muster charter sign --file CHARTER.json | --signed CHARTER.jws --key KEY.pem --out CHARTER.jws\n"
     "muster charter show --file CHARTER.jws [--signers signers.json]\n"
     "muster charter lint --file CHARTER.json|CHARTER.jws [--signers signers.json] [--at RFC3339]\n"
     "                    [-o table|json]\n"
     "muster charter diff OLD NEW [--signers signers.json] [-o table|json]\n"
     "muster charter test --file CHARTER.json|CHARTER.jws --cases CASES.json [-o tap|json]\n"
     "\n"
     "edit raises the serial, dates the charter from now on and checks it whole; '/-' at the end of a\n"
     "pointer appends to a list. sign adds one signature. show prints what was signed.\n"
     "lint says what is unwise in it, each with its place; exit code 3 when anything is an error.\n"
     "diff says of every change whether it narrows or widens what a guest may get; what it does not\n"
     "know it calls widening; --signers says whether enough keys signed the new one. test judges\n"
     "evidence files, or claims, as a keeper would and compares verdict, reason and level with what\n"
     "each case expects; exit code 3 when one differs.\n"},
    {"catalogue", "the providers' rules: check a wish, sign an edition", catalogue_main,
     "muster catalogue check WISH.json [--edition NAME|FILE [--signers signers.json]] [--at RFC3339]\n"
     "                       [-o table|json]\n"
     "muster catalogue sign --file EDITION.json | --signed EDITION.jws --key KEY.pem --out EDITION.jws\n"
     "\n"
     "check says of {\"cloud\", \"region\", \"zone\", \"size\", \"boot_mode\", \"os\", \"features\", \"enclaves\",\n"
     "\"from\", \"at\"} which rules it breaks, each with its source; exit code 3 when one is broken. NAME\n"
     "is current or seed-2025. sign adds one signature to an edition that would be taken.\n"},
    {"fleet", "check a fleet's specification before any call", fleet_main,
     "muster fleet check FLEET.json --account ACCOUNT.json... [--image IMAGE.json]\n"
     "                   [--edition NAME|FILE [--signers signers.json]] [--at RFC3339] [-o table|json]\n"
     "\n"
     "Against the providers' rules at each of its places, without a controller: exit code 3 when one is\n"
     "broken. Each account of the fleet is needed, for it says which cloud and region; the image for\n"
     "its boot mode and system. Without --edition by what holds today.\n"},
    {"image", "reference values of a machine image, from its firmware", image_main,
     "muster image add --ovmf FILE... [--vmm qemu|ec2|gce] [--vcpus N,N... | --sizes SIZE,SIZE...]\n"
     "                 [--vcpu-type NAME]... [--vcpu-sig HEX]... [--guest-features HEX]...\n"
     "                 [--kernel FILE] [--initrd FILE] [--append TEXT] [--svsm FILE --ovmf-vars-size N]\n"
     "                 [--anchor none|host-data|id-block] [--provider-execution on|off]\n"
     "                 [-o reference|json]\n"
     "\n"
     "Prints a reference for a charter, with the launch digest of every size that the image may run\n"
     "on; -o json says what each value stands for. On EC2 that is every size that runs SEV-SNP unless\n"
     "--sizes or --vcpus name fewer, each with both states that its hosts start in. Under QEMU and\n"
     "Compute Engine --vcpus says which. Several files, kinds of vCPU and features are combined.\n"
     "    muster charter edit --file charter.json --set \"/references/web=$(muster image add ...)\"\n"},
    {"endorsements", "the chip maker's certificates by way of a folder", endorsements_main,
     "muster endorsements import DIR [--server URL] [--ca FILE] [--token-file FILE]\n"
     "muster endorsements export DIR [--server URL] [--ca FILE] [--token-file FILE]\n"
     "\n"
     "For networks that do not reach the maker's service. import offers every file of the folder to\n"
     "the controller, which finds out what it holds and checks it up to a pinned root; names do not\n"
     "matter. export writes what the controller has, for another one's import.\n"},
    {"evidence", "what a verdict rests on, in one file for a third party", evidence_main,
     "muster evidence export VERDICT | --instance ID [--out FILE] [--server URL] [--ca FILE]\n"
     "                       [--token-file FILE]\n"
     "\n"
     "Writes an evidence bundle: evidence, endorsements, charter, the keeper's signed word, claims and\n"
     "the entries of the audit trail. --instance takes its newest verdict. `muster verify bundle`\n"
     "checks it offline.\n"},
    {"status", "what the fleets are, in one table", status_main,
     "muster status [FLEET] [--watch] [--every SECONDS] [--server URL] [--ca FILE]\n"
     "              [--token-file FILE] [-o table|json]\n"
     "\n"
     "Of one fleet each place follows, of all fleets those places that are closed, and why; then the\n"
     "alarms. The words under REASONS are for `muster explain`. --watch draws it again until\n"
     "interrupted, every 2 seconds unless told.\n"},
    {"machines", "the state machines, drawn", machines_main,
     "muster machines [NAME] [--dot] [-o table|json]\n"
     "\n"
     "All of them, or one: phase, trust, version or delivery. --dot is for graphviz.\n"},
    {"token", "check an opinion or a passport, as a relying party does", token_main,
     "muster token verify --root FILE --jwks FILE [--audience TEXT] [--at RFC3339] TOKEN-FILE\n"
     "\n"
     "Offline: --root is the deployment's, --jwks the keys as GET /.well-known/jwks.json gives them\n"
     "or as keeper/jwks.jwt holds them; each counts only as the root certified it. A passport needs\n"
     "--audience. Verdicts are refused: they are for keepers alone.\n"},
    {"explain", "what a code means and what to do", explain_main,
     "muster explain CODE [-o table|json]\n"
     "\n"
     "CODE is any that an answer, a verdict, a table, an alarm or a log shows, or the id of a rule of\n"
     "the catalogue.\n"},
};
/* clang-format on */

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < countof(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int print_help(void)
{
    puts("muster: a fleet of confidential machines, each inspected before it gets a secret\n"
         "\n"
         "muster COMMAND ...        muster COMMAND --help        muster --version\n");
    for (size_t i = 0; i < countof(commands); i++)
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    puts("\nOf a controller (--server, --ca, --token-file or MUSTER_SERVER, MUSTER_CA, "
         "MUSTER_TOKEN):\n");
    api_print_help(NULL, stdout);
    puts("\nExit codes: 0 done, 1 failed, 2 used wrongly, 3 refused, 4 unreachable.");
    return 0;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int print_usage(const struct command *command)
{
    if (fputs(command->usage, stdout) == EOF)
        return 1;
    if (api_has(command->name, NULL)) {
        puts("\nOf a controller:\n");
        api_print_help(command->name, stdout);
    }
    return 0;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        fputs("muster: which command? try 'muster --help'\n", stderr);
        return EXIT_USED_WRONGLY;
    }
    if (strcmp(argv[1], "--version") == 0)
        return puts("muster " PACKAGE_VERSION) == EOF;
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    const struct command *command = find(argv[1]);
    /* Some nouns also have verbs that need no controller: those are in the table above. */
    bool online = argc > 2 ? api_has(argv[1], argv[2]) : false;
    if (online || (command == NULL && api_has(argv[1], NULL)))
        return api_main(argc - 1, argv + 1);
    if (command == NULL) {
        fprintf(stderr, "muster: there is no command '%.40s', try 'muster --help'\n", argv[1]);
        return EXIT_USED_WRONGLY;
    }
    if (asks_for_help(argc - 1, argv + 1))
        return print_usage(command);
    return command->run(argc - 1, argv + 1);
}

/* A full disk below a redirected answer is a failure, whichever command wrote it. */
int main(int argc, char **argv)
{
    int exit_code = run(argc, argv);
    bool written = fflush(stdout) == 0 && ferror(stdout) == 0;
    if (exit_code != 0 || written)
        return exit_code;
    fputs("muster: writing to standard output did not work\n", stderr);
    return outcome_exit_code(ERR_INTERNAL);
}
