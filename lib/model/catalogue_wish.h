/* What somebody wants of a cloud at one place, and which of its rules that breaks. Pure. */
#ifndef MUSTER_MODEL_CATALOGUE_WISH_H
#define MUSTER_MODEL_CATALOGUE_WISH_H

#include "lib/model/catalogue.h"

/* One machine at one place. Empty texts are not said: no rule is broken by them, and each rule that
 * would need them says so. */
struct catalogue_wish {
    enum account_driver cloud;
    char region[64];
    char zone[64];
    char size[NAME_SIZE];
    char boot_mode[NAME_SIZE];
    char os_name[NAME_SIZE];
    char os_version[NAME_SIZE];
    unsigned features; /* FEATURE_BIT()s */
    int64_t enclaves;  /* how many, and each with */
    int64_t enclave_vcpus;
    int64_t enclave_memory_mib;
    char enclave_os[NAME_SIZE];
    char from_size[NAME_SIZE]; /* a machine that is there already and shall become this; else "" */
    unsigned from_features;
    struct moment at; /* none: now */
};

/* {"cloud", "region", "zone", "size", "boot_mode", "os": {"name", "version"}, "features": [...],
 * "enclaves": {"count", "vcpus", "memory_mib", "os"}, "from": {"size", "features"}, "at"}; all but
 * the first may be left out. */
enum outcome catalogue_wish_from_json(const json_t *value, struct catalogue_wish *out,
                                      struct error *err);

/* The member "enclaves" of such a wish, or of a fleet. */
enum outcome catalogue_wish_read_enclaves(const json_t *enclaves, struct catalogue_wish *out,
                                          struct error *err);

/* What a zone's name says of its kind. */
void catalogue_wish_read_zone(struct catalogue_wish *wish);

/* A rule that somebody decided not to follow. */
struct catalogue_waivers {
    const char *const *rules;
    size_t count;
};

enum finding_kind {
    FINDING_BROKEN,
    FINDING_WARNING, /* broken, of a rule that only warns */
    FINDING_WAIVED,  /* broken, and somebody said to go on */
    FINDING_UNSAID,  /* the rule asks for what the wish does not say */
    FINDING_KIND_COUNT
};
extern const struct names finding_kind_names; /* "broken", "warning", "waived", "unsaid" */

struct finding {
    enum finding_kind kind;
    const struct catalogue_rule *rule; /* the catalogue's */
    char place[NAME_SIZE];             /* the wish's zone, or its region; may be empty */
    char text[ERROR_TEXT_SIZE];
};

struct finding_list {
    size_t count;
    size_t broken;
    size_t looked_at; /* rules that spoke of the wish; none: the edition is silent on that cloud */
    struct finding *at;
};
void finding_list_done(struct finding_list *list);

/* Every rule of the edition that the wish breaks, in the edition's order; adds to `out`, so that it
 * can be asked place by place. */
void catalogue_check(const struct catalogue *catalogue, const struct catalogue_waivers *waivers,
                     const struct catalogue_wish *wish, struct finding_list *out);

/* [{"rule", "result", "cloud", "place", "detail", "says", "source", "sure"}] */
json_t *findings_to_json(const struct finding_list *list);

/* The ids of the broken rules, each once. */
json_t *findings_broken(const struct finding_list *list);

/* OK, or ERR_INVALID "against-the-catalogue": names the broken rules and the source of the first.
 */
enum outcome findings_refuse(const struct finding_list *list, struct error *err);

#endif
