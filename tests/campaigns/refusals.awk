# Gives every refusal of a C file a switch of its own: MUSTER_MUTANT=FILE:LINE makes that one statement
# do nothing, so that the function goes on as if all were well. What can never be reached is left: our
# own mistakes, a PCR that JSON names twice (json_parse refuses it), a point that OpenSSL compressed.
#   awk -v file=lib/attest/kds.c -v list=LIST -f refusals.awk kds.c > mutated.c

function refuses(text) {
    if (text ~ /ERR_INTERNAL|says the same PCR again|point is compressed/)
        return 0
    return text ~ /^ *return .*(fail|fail_code|fail_at|malformed|untrusted|unsupported|refuse)\(/ ||
        text ~ /^ *REFUSE\(/ || text ~ /^ *find(_plain)?\(out, LINT_/ ||
        text ~ /^ *note_crl\(e, CRL_(BROKEN|FOREIGN),/
}

function put(text, first, behind) {
    if (!refuses(text)) {
        print text
        return
    }
    printf "%s:%d\t%s\n", file, first, text >> list
    printf "do { if (!mutant_is(\"%s:%d\")) { %s } %s } while (0);\n", file, first, text, behind
}

BEGIN {
    print "#include <stdlib.h>\n#include <string.h>"
    print "static inline int mutant_is(const char *which) {"
    print "const char *wish = getenv(\"MUSTER_MUTANT\"); return wish && !strcmp(wish, which); }"
}

{ lines[NR] = $0 }

END {
    for (i = 1; i <= NR; i++) {
        text = lines[i]
        first = i
        if (text !~ /^ +(return |REFUSE\(|find\(|find_plain\(|note_crl\()/) {
            print text
            continue
        }
        while (text !~ /; *(\/\*.*\*\/)?$/ && i < NR)
            text = text "\n" lines[++i]
        flat = text
        gsub(/\n */, " ", flat)
        if (flat ~ /^ *note_crl/ && lines[i + 1] ~ /^ *return;$/)
            flat = flat " " lines[++i]
        # The last statement of a function has nothing to go on with.
        put(flat, first, flat ~ /^ *return / && lines[i + 1] ~ /^}/ ? "return OK;" : "")
    }
}
