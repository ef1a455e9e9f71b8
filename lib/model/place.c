#include "lib/model/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void place_list_done(struct place_list *list)
{
    free(list->at);
    *list = (struct place_list){0};
}

static enum outcome bad(struct error *err, const char *code, const char *where, const char *why)
{
    return fail_at(err, ERR_INVALID, code, where, "%s: %s", where, why);
}

static enum outcome read_zones(const json_t *value, const char *path, struct place *out,
                               struct error *err)
{
    char where[ERROR_WHERE_SIZE];
    snprintf(where, sizeof where, "%.60s/zones", path);
    if (value == NULL)
        return OK;
    if (!json_is_array(value) || json_array_size(value) > PLACE_ZONES_MAX)
        return bad(err, "wrong-type", where, "not an array of at most 16 zones");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const char *zone = json_string_value(json_array_get(value, i));
        if (zone == NULL || !text_is_name(zone))
            return bad(err, "bad-name", where, "a zone is [a-z0-9-]{1,63}");
        for (size_t j = 0; j < i; j++)
            if (strcmp(out->zones[j], zone) == 0)
                return bad(err, "twice", where, "a zone is there twice");
        TRY(text_copy(out->zones[out->zone_count++], NAME_SIZE, zone, where, err));
    }
    return OK;
}

static enum outcome read_place(const json_t *value, const char *path, struct place *out,
                               struct error *err)
{
    static const char *const members[] = {"account", "weight", "zones", "size", NULL};
    const char *account, *size;
    if (!json_is_object(value))
        return bad(err, "wrong-type", path, "not an object");
    TRY(json_only(value, path, members, err));
    TRY(json_get_text(value, path, "account", NAME_SIZE - 1, &account, err));
    TRY(json_get_text_or(value, path, "size", NAME_SIZE - 1, "", &size, err));
    TRY(json_get_int_or(value, path, "weight", 1, PLACE_WEIGHT_MAX, 1, &out->weight, err));
    if (!text_is_name(account))
        return bad(err, "bad-name", path, "the account is not a name");
    if (size[0] != '\0' && !text_is_word(size))
        return bad(err, "bad-name", path, "the size is not a cloud's word");
    TRY(text_copy(out->account, sizeof out->account, account, path, err));
    TRY(text_copy(out->size, sizeof out->size, size, path, err));
    return read_zones(json_object_get(value, "zones"), path, out, err);
}

static bool has_zone(const struct place *place, const char *zone)
{
    for (size_t i = 0; i < place->zone_count; i++)
        if (strcmp(place->zones[i], zone) == 0)
            return true;
    return false;
}

/* A machine must count to one place. */
static bool overlap(const struct place *a, const struct place *b)
{
    if (strcmp(a->account, b->account) != 0)
        return false;
    if (a->zone_count == 0 || b->zone_count == 0)
        return true;
    for (size_t i = 0; i < a->zone_count; i++)
        if (has_zone(b, a->zones[i]))
            return true;
    return false;
}

enum outcome places_from_json(const json_t *value, struct place_list *out, struct error *err)
{
    OWNED(place_list_done) struct place_list list = {0};
    if (!json_is_array(value) || json_array_size(value) > PLACES_MAX)
        return bad(err, "wrong-type", "/places", "not an array of at most 32 places");
    list.at = mem_new(json_array_size(value) + 1, sizeof *list.at);
    for (size_t i = 0; i < json_array_size(value); i++) {
        char path[ERROR_WHERE_SIZE];
        snprintf(path, sizeof path, "/places/%zu", i);
        TRY(read_place(json_array_get(value, i), path, &list.at[i], err));
        for (size_t j = 0; j < i; j++)
            if (overlap(&list.at[i], &list.at[j]))
                return bad(err, "twice", path, "the account is there twice with the same zones");
        list.count++;
    }
    *out = list;
    list = (struct place_list){0};
    return OK;
}
