#!/usr/bin/env bash
# What doc/drivers.md walks through is compiled as it stands there, linked with libdrivers, and its row used.
set -u
build=${MUSTER_BUILD:-build}
src=${MUSTER_SRC:-.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/drivers/nimbus"
awk '/^```c$/ {on = 1; next} /^```$/ {on = 0; print ""} on' "$src/doc/drivers.md" >"$work/drivers/nimbus/nimbus.c"
cat >"$work/smoke.c" <<'EOF'
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"

extern const struct driver nimbus_driver;
static const struct driver *const rows[] = {&aws_driver, &nimbus_driver};

static void answers_are_read(const struct driver *driver)
{
    struct error err = {0};
    struct reading up = {0}, full = {0}, other = {0};
    struct http_answer answer = {.status = 200};
    bytes_add(&answer.body, span_of_text("{\"machines\": [{\"name\": \"m-1\", \"state\": \"UP\"},"
                                         " {\"name\": \"m-2\", \"state\": \"FROZEN\"}]}"));
    assert(driver->read("machines.list", &answer, &up, &err) == OK);
    assert(!up.refused && up.sightings.count == 2);
    assert(up.sightings.at[0].state == MACHINE_RUNNING);
    assert(up.sightings.at[1].state == MACHINE_UNKNOWN);
    answer.status = 507;
    assert(driver->read("machines.create", &answer, &full, &err) == OK);
    assert(full.refused && full.kind == CLOUD_CAPACITY);
    assert(driver->read("discs.format", &answer, &other, &err) == ERR_INVALID);
    reading_done(&up);
    reading_done(&full);
    http_answer_done(&answer);
}

static void it_keeps_its_limits(const struct driver *driver)
{
    struct error err = {0};
    struct cloud *cloud = NULL;
    struct sighting_list list = {0};
    struct account account = {.name = "n", .driver = DRIVER_NIMBUS, .region = "sky", .owner = "o"};
    snprintf(account.endpoint, sizeof account.endpoint, "http://127.0.0.1:1");
    assert(driver->open(&account, &cloud, &err) == OK);
    assert(driver->list(cloud, &list, &err) == ERR_UNREACHABLE);
    for (size_t i = 0; i < 19; i++) { /* one of twenty is kept back */
        struct sighting seen;
        struct cloud_operation operation;
        const struct launch_order order = {.client_token = "t", .image = "i", .size = "s"};
        assert(driver->turn(cloud, &err) == OK);
        assert(driver->launch(cloud, &order, &seen, &operation, &err) == ERR_UNREACHABLE);
    }
    assert(driver->turn(cloud, &err) == ERR_THROTTLED && strcmp(err.code, "paced") == 0);
    driver->close(cloud);
}

int main(void)
{
    assert(rows[1]->id == DRIVER_NIMBUS);
    answers_are_read(rows[1]);
    it_keeps_its_limits(rows[1]);
    return 0;
}
EOF
n=0
say() { # say STATUS SENTENCE
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
flags=(-std=gnu2x -D_GNU_SOURCE -DDRIVER_NIMBUS=ACCOUNT_DRIVER_COUNT -Wall -Wextra -Werror -Wshadow -Wno-unused-parameter)
cc=${CC:-gcc}
$cc "${flags[@]}" -I"$src" -I"$build" -c "$work/drivers/nimbus/nimbus.c" -o "$work/nimbus.o" 2>"$work/errors"
say $? "the walk-through of a fourth driver compiles as it stands"
sed 's/^/# /' "$work/errors"
libs=()
for name in drivers/libdrivers lib/model/libmodel lib/net/libnet lib/crypto/libcrypto_door lib/base/libbase; do
    libs+=("$build/$name.a")
done
read -ra outside <<<"$(pkg-config --libs libcurl libxml-2.0 jansson libcrypto libssl) -lnng -lpthread"
# As the libraries were made.
mapfile -t sanitizers < <(grep '^MUSTER_LDFLAGS = ' "$build/Makefile" | grep -oE -- '-fsanitize=[a-z,]+|--coverage')
$cc "${flags[@]}" "${sanitizers[@]}" -I"$src" "$work/smoke.c" "$work/nimbus.o" "${libs[@]}" "${outside[@]}" -o "$work/smoke" 2>"$work/errors"
say $? "it links with libdrivers alone"
tail -5 "$work/errors" | sed 's/^/# /'
"$work/smoke" 2>"$work/errors"
say $? "its row reads answers, says what went wrong and keeps its limits"
sed 's/^/# /' "$work/errors"
# The table of bad input: what stands there in backquotes and is no file.
# shellcheck disable=SC2016  # backquotes of Markdown
grep '^| ' "$src/doc/drivers.md" | grep -o '`[a-z0-9_]*`' | tr -d '`' | sort -u >"$work/tests"
while read -r name; do
    grep -rqE --include='*.c' "^static void $name\(" "$src/tests" || echo "$name"
done <"$work/tests" >"$work/missing"
[ -s "$work/tests" ] && [ ! -s "$work/missing" ]
say $? "each test that the table of bad input names is there"
sed 's/^/# /' "$work/missing"
echo "1..$n"
