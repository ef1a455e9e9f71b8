#!/usr/bin/env bash
# R6, R101, I11: a secret that guests hold is looked for everywhere else: database dump, data files and
# WAL, the controller's memory, every log, what crossed the wire, the emulated cloud's disks, the
# keeper's folder. The same search finds it where it belongs, so it can find it.
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

work=$(mktemp -d /tmp/muster-e2e.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work/home"
chmod 755 "$work"

capture() {
    command -v tcpdump >/dev/null || return 0
    tcpdump -i lo -U -s 0 -w "$work/wire.pcap" 2>"$work/tcpdump.log" &
    pids[tcpdump]=$!
    await 10 "tcpdump to listen" grep -q listening "$work/tcpdump.log" || stop tcpdump
}

capture
everything_up >"$work/up.log" 2>&1 || bail "$work/up.log"
"$muster" secrets generate canary --kind opaque --scope fleet --grant plain-key >/dev/null
"$muster" secrets generate host-key --kind ssh-host-key --scope instance --grant host-key >/dev/null
fleet_up web 2 plain plain-ec2 canary
fleet_up vault 1 direct measured host-key
check "guests hold their secrets" eval 'await_loaded 2 web 60 && await_loaded 1 vault 60'

# The patterns: raw, hex, base64 at its three alignments, of parts that are the secret's own: both ends
# of an opaque one; of a host key a line of its text and a part of the seed in it.
patterns() {
    local file
    for file in "$run_dir"/*/secrets/canary; do
        head -c 24 "$file" | hex
        tail -c 24 "$file" | hex
    done
    for file in "$run_dir"/*/secrets/host-key; do
        sed -n 4p "$file" | head -c 24 | hex
        sed '1d;$d' "$file" | base64 -d | tail -c +166 | head -c 24 | hex
    done
}
hex() {
    od -An -v -tx1 | tr -d ' \n'
    echo
}
patterns | sort -u >"$work/hex"
four() { [ "$(wc -l <"$work/hex")" = 4 ] && ! grep -qv '^[0-9a-f]\{48\}$' "$work/hex"; }
check "there are four things to look for" four
found_in() { # any pattern in any file of these folders or files
    local hex raw files=("$@")
    while read -r hex; do
        raw=$(sed 's/../\\x&/g' <<<"$hex")
        LC_ALL=C grep -rlaP "$raw" "${files[@]}" && return 0
        LC_ALL=C grep -rliaF "$hex" "${files[@]}" && return 0
        for skip in 0 1 2; do
            b64=$(sed "s/^.\{$((2 * skip))\}//; s/../\\\\x&/g" <<<"$hex" | xargs -0 printf '%b' | head -c 21 | base64 -w0)
            LC_ALL=C grep -rlaF "${b64:0:24}" "${files[@]}" && return 0
        done
    done <"$work/hex"
    return 1
}
nowhere_in() { ! found_in "$@"; }

check "the search finds them where they belong" found_in "$run_dir"
pg_dump "$database" >"$work/dump.sql"
check "they are not in a dump of the database" nowhere_in "$work/dump.sql"
psql -XAtq "$database" -c 'CHECKPOINT' >/dev/null 2>&1
check "they are not in its data files and WAL" nowhere_in "$(cat "$home/postgres/home")"
memory_of() { # every readable page of a process; a sanitizer's shadow, terabytes of it, is left out
    local pid=$1 range rest pages
    while read -r range rest; do
        case $rest in r*' [vvar]'* | r*' [vsyscall]'*) continue ;; r*) ;; *) continue ;; esac
        pages=$(((0x${range#*-} - 0x${range%-*}) / 4096))
        [ "$pages" -lt 65536 ] || continue
        dd if="/proc/$pid/mem" bs=4096 skip=$((0x${range%-*} / 4096)) count="$pages" status=none \
            2>/dev/null
    done <"/proc/$pid/maps" | head -c 1G
}
memory_of "${pids[musterd]}" >"$work/musterd.mem"
enough() { [ "$(stat -c %s "$work/musterd.mem")" -gt 1000000 ] && grep -qaF "$database" "$work/musterd.mem"; }
if [ "$(id -u)" = 0 ]; then
    check "the controller's memory can be read by root" enough
    check "they are not in the controller's memory" nowhere_in "$work/musterd.mem"
fi
no_core() { grep -q 'Max core file size *0 *0' "/proc/${pids[$1]}/limits"; }
check "the controller leaves no core" no_core musterd
check "the keeper leaves no core" no_core keeper
check "they are not in any log" nowhere_in "$home/log"
check "they are not on the emulated cloud's disks" nowhere_in "$home/cloud"
check "they are not in the keeper's folder" nowhere_in "$home/keys"
if [ -n "${pids[tcpdump]:-}" ]; then
    stop tcpdump
    captured() { [ "$(stat -c %s "$work/wire.pcap")" -gt 20000 ]; }
    check "the wire was listened to" captured
    check "they did not cross it in the clear" nowhere_in "$work/wire.pcap"
else
    number=$((number + 1))
    echo "ok $number - the wire was listened to # SKIP no tcpdump, or it may not listen (root may)"
fi
plan
