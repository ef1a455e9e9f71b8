# shellcheck shell=bash disable=SC2154  # home and number are the sourcing script's
# TAP for end-to-end scripts. Source after muster.sh.

number=0

check() { # check SENTENCE COMMAND...
    local sentence=$1
    shift
    number=$((number + 1))
    if "$@" >"$home/check.log" 2>&1; then
        echo "ok $number - $sentence"
    else
        echo "not ok $number - $sentence"
        tail -n 20 "$home/check.log" | sed 's/^/# /'
        tail -n 8 "$home"/log/*.log | sed 's/^/# /'
    fi
}

plan() { echo "1..$number"; }

bail() { # bail LOG
    sed 's/^/# /' "$1"
    echo "Bail out! Muster did not come up"
    exit 1
}
