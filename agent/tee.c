#include "agent/tee.h"

#include <stdlib.h>
#include <string.h>

struct tee {
    const struct tee_driver *driver;
    void *self;
    struct error lost; /* outcome OK until the hardware said "never again" */
};

static const struct tee_driver *const drivers[] = {
    &tee_snp_driver,       &tee_azure_driver, &tee_vtpm_driver, &tee_nitro_driver,
#ifdef MUSTER_SIMULATION
    &tee_simulated_driver,
#endif
};

struct tee *tee_new(const struct tee_driver *driver, void *self)
{
    struct tee *tee = NEW(struct tee);
    *tee = (struct tee){.driver = driver, .self = self};
    return tee;
}

enum outcome tee_open(const char *name, const struct tee_places *places, struct tee **out,
                      struct error *err)
{
    for (size_t i = 0; i < countof(drivers); i++) {
        if (strcmp(drivers[i]->name, name) != 0)
            continue;
        void *self = NULL;
        TRY(drivers[i]->open(places, &self, err));
        *out = tee_new(drivers[i], self);
        return OK;
    }
    return fail_code(err, ERR_INVALID, "unknown-tee", "this agent knows no evidence from '%.32s'",
                     name);
}

void tee_close(struct tee *tee)
{
    if (tee == NULL)
        return;
    tee->driver->close(tee->self);
    free(tee);
}

enum evidence_kind tee_kind(const struct tee *tee)
{
    return tee->driver->kind;
}

bool tee_is_lost(const struct tee *tee)
{
    return tee->lost.outcome != OK;
}

enum outcome tee_prove(struct tee *tee, const struct evidence_binding *asked, struct evidence *out,
                       struct error *err)
{
    if (tee_is_lost(tee)) {
        *err = tee->lost;
        return err->outcome;
    }
    OWNED(evidence_done) struct evidence made = {.kind = tee->driver->kind};
    enum outcome outcome = tee->driver->prove(tee->self, asked, &made, err);
    if (outcome != OK && strcmp(err->code, "vmpck-disabled") == 0)
        tee->lost = *err;
    TRY(outcome);
    if (made.report.len != tee->driver->report_size)
        return fail_code(err, ERR_INVALID, "bad-report", "the report has %zu bytes, not %zu",
                         made.report.len, tee->driver->report_size);
    evidence_done(out);
    *out = made;
    made = (struct evidence){0};
    return OK;
}
