# shellcheck shell=bash
# The clouds' own clients, from npm, into the build tree: once for all scripts, and again only when
# the lock file changed. Source it, then `clients_install || skip "$why"`; sets $clients.

clients=$MUSTER_BUILD/tests/clients
why=

clients_install() {
    local source=$MUSTER_SRC/tests/clients want
    command -v node >/dev/null && command -v npm >/dev/null || {
        why="node and npm are not installed"
        return 1
    }
    mkdir -p "$clients"
    want=$(cat "$source/package.json" "$source/package-lock.json" | sha256sum)
    (
        flock 9
        [ "$(cat "$clients/installed" 2>/dev/null)" = "$want" ] && exit 0
        cp "$source/package.json" "$source/package-lock.json" "$clients/"
        cd "$clients" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1 &&
            printf '%s' "$want" >installed
    ) 9>"$clients/lock" && return 0
    if timeout 20 npm ping >/dev/null 2>&1; then
        sed 's/^/# /' "$clients/npm.log"
        return 2 # the registry is there: this is a fault of ours
    fi
    why="npm's registry is out of reach"
    return 1
}

# clients_run SCRIPT: with the modules beside it.
clients_run() {
    cp "$MUSTER_SRC/tests/clients/$1" "$clients/$1"
    timeout 120 node "$clients/$1"
}
