#include "cli/fleet.h"

#include <stdio.h>
#include <string.h>

#include "cli/rules.h"
#include "lib/model/fleet_wish.h"

enum { SPEC_MAX = 64 * 1024 };

static enum outcome read_json(const char *path, json_t **out, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    TRY(argument_file(path, SPEC_MAX, &content, err));
    if (json_parse(bytes_span(&content), SPEC_MAX, out, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

static enum outcome read_fleet(const char *path, struct fleet *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    TRY(read_json(path, &json, err));
    if (fleet_from_json(json, out, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

static enum outcome read_account(const char *path, struct account *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    TRY(read_json(path, &json, err));
    if (account_from_json(json, "", out, err) != OK)
        return error_context(err, "%.200s", path);
    return OK;
}

/* Of another name it is not this fleet's; without one its boot mode and system stay unsaid. */
static enum outcome read_image(const char *path, const struct fleet *fleet, struct image *out,
                               struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    if (path == NULL)
        return OK;
    TRY(read_json(path, &json, err));
    if (image_from_json(json, out, err) != OK)
        return error_context(err, "%.200s", path);
    if (strcmp(out->name, fleet->image) != 0)
        return fail(err, ERR_INVALID, "%.200s: the fleet's image is %s", path, fleet->image);
    return OK;
}

static void check_place(struct rules *rules, const struct fleet *fleet, const struct place *place,
                        const struct account *account, const struct image *image)
{
    struct catalogue_wish wishes[PLACE_ZONES_MAX];
    const size_t count = fleet_wishes(fleet, place, account, image, wishes);
    for (size_t i = 0; i < count; i++) {
        OWNED(text_done) struct text name = {0};
        text_addf(&name, "%s %s", account->name,
                  wishes[i].zone[0] != '\0' ? wishes[i].zone : wishes[i].region);
        rules_check(rules, text_str(&name), &wishes[i]);
    }
}

/* An account of the fleet's; `seen` says of which places. */
static enum outcome check_account(struct rules *rules, const struct fleet *fleet,
                                  const struct place_list *places, bool *seen,
                                  const struct image *image, const char *path, struct error *err)
{
    bool found = false;
    OWNED(account_done) struct account account = {0};
    TRY(read_account(path, &account, err));
    for (size_t i = 0; i < places->count; i++) {
        if (strcmp(places->at[i].account, account.name) != 0)
            continue;
        check_place(rules, fleet, &places->at[i], &account, image);
        found = seen[i] = true;
    }
    if (!found)
        return fail(err, ERR_INVALID, "%.200s: the fleet has no account %s", path, account.name);
    return OK;
}

static enum outcome check_places(struct rules *rules, const struct fleet *fleet,
                                 const struct argument_list *accounts, const struct image *image,
                                 struct error *err)
{
    bool seen[PLACES_MAX] = {0};
    OWNED(place_list_done) struct place_list places = {0};
    TRY(fleet_places(fleet, &places, err));
    for (size_t i = 0; i < accounts->count; i++)
        TRY(check_account(rules, fleet, &places, seen, image, accounts->at[i], err));
    for (size_t i = 0; i < places.count; i++)
        if (!seen[i])
            return fail(err, ERR_INVALID,
                        "--account ACCOUNT.json of %s is needed: it says which cloud",
                        places.at[i].account);
    return OK;
}

static enum outcome check(int argc, char **argv, int *exit_code, struct error *err)
{
    struct rules_words words = {0};
    struct argument_list accounts = {0};
    const char *image_path = NULL;
    const struct argument table[] = {
        {"--account", .list = &accounts},
        {"--image", .text = &image_path},
        RULES_ARGUMENTS(&words),
    };
    OWNED(rules_done) struct rules rules = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(image_done) struct image image = {0};
    if (argc < 3 || argv[2][0] == '-')
        return fail(err, ERR_INVALID,
                    "usage: muster fleet check FLEET.json --account ACCOUNT.json");
    TRY(arguments_read(argc, argv, 3, table, countof(table), err));
    TRY(rules_open(&words, &rules, err));
    TRY(read_fleet(argv[2], &fleet, err));
    TRY(read_image(image_path, &fleet, &image, err));
    TRY(check_places(&rules, &fleet, &accounts, image_path != NULL ? &image : NULL, err));
    return rules_print(&rules, exit_code, err);
}

int fleet_main(int argc, char **argv)
{
    struct error err = {0};
    int exit_code = 0;
    if (argc >= 2 && strcmp(argv[1], "check") == 0)
        return check(argc, argv, &exit_code, &err) == OK ? exit_code : command_failed(&err);
    fputs("muster: which? try 'muster fleet --help'\n", stderr);
    return outcome_exit_code(ERR_INVALID);
}
