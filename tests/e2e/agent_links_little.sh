#!/bin/bash
# The agent runs where secrets are, so it brings little along: no SQL, no HTTP in either direction,
# and in a production build no simulated hardware (trust.md section 3).
set -u
build=${MUSTER_BUILD:-build}
n=0
check() { # what, command...
    n=$((n + 1))
    local what=$1
    shift
    if "$@" >/dev/null 2>&1; then echo "ok $n - $what"; else echo "not ok $n - $what"; fi
}
links() { ldd "$build/agent/muster-agent" | grep -qE "$1"; }
lacks() { ! links "$1"; }
says() { strings -a "$build/agent/$1" | grep -qiE "$2"; }
is_silent() { ! says "$1" "$2"; }

echo 1..10
check "it links OpenSSL (so the looking works)" links libssl
check "it links no libpq" lacks libpq
check "it links no libmicrohttpd" lacks microhttpd
check "it links no libcurl" lacks libcurl
check "it links no libxml2" lacks libxml2
check "it links tpm2-tss, for a machine's TPM" links libtss2-esys
check "what asks over HTTP is a program of its own" grep -q libcurl <(ldd "$build/agent/muster-agent-thim")
check "and so is what asks a metadata service" grep -q libcurl <(ldd "$build/agent/muster-agent-metadata")
check "a build with the simulation has it" says muster-agent tee-socket
check "a production build has none of it" is_silent muster-agent-production 'tee-socket|the simulator|tee_simulated'
