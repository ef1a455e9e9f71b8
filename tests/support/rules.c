#include "tests/support/rules.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

struct catalogue *rules_edition(const char *name)
{
    struct error err = {0};
    struct catalogue *catalogue = NULL;
    assert_ok(catalogue_built_in(name, &catalogue, &err));
    return catalogue;
}

const char *rules_found(const struct catalogue *catalogue, const struct catalogue_waivers *waivers,
                        const char *text, enum finding_kind kind)
{
    static char found[1024];
    struct error err = {0};
    struct catalogue_wish wish = {0};
    OWNED(json_drop) json_t *json = NULL;
    OWNED(finding_list_done) struct finding_list list = {0};
    if (json_parse(span_of_text(text), 64 * 1024, &json, &err) != OK ||
        catalogue_wish_from_json(json, &wish, &err) != OK)
        fail_msg("%s: %s (%s)", text, err.text, err.code);
    catalogue_check(catalogue, waivers, &wish, &list);
    found[0] = '\0';
    for (size_t i = 0; i < list.count; i++) {
        size_t used = strlen(found);
        assert_true(list.at[i].text[0] != '\0');
        if (list.at[i].kind == kind)
            snprintf(found + used, sizeof found - used, "%s%s", used > 0 ? "," : "",
                     list.at[i].rule->id);
    }
    return found;
}

const char *rules_broken(const struct catalogue *catalogue, const char *wish)
{
    return rules_found(catalogue, NULL, wish, FINDING_BROKEN);
}
