#include "controller/endorsing.h"

#include <string.h>

#include "lib/attest/evidence_lack.h"

void endorsing_done(struct endorsing *e)
{
    bytes_done(&e->evidence);
    bytes_done(&e->crl);
    *e = (struct endorsing){0};
}

/* From the cache, or on the list of what is wanted. */
static enum outcome find(struct db *db, const struct kds_item *item, struct endorsing *e,
                         struct bytes *out, struct error *err)
{
    char name[KDS_NAME_SIZE];
    struct endorsement row = {0};
    kds_name(item, name);
    enum outcome outcome = endorsement_store_find(db, name, &row, err);
    if (outcome == ERR_NOT_FOUND) {
        e->wanted[e->wanted_count++] = *item;
        return OK;
    }
    TRY(outcome);
    *out = bytes_take(&row.content);
    endorsement_done(&row);
    return OK;
}

static enum outcome add_ek(struct db *db, const struct evidence_lack *lack,
                           struct evidence *evidence, struct endorsing *e, struct error *err)
{
    struct bytes content = {0};
    if (!lack->ek || !lack->ek_can_be_had)
        return OK;
    TRY(find(db, &lack->vcek, e, &content, err));
    if (content.len == 0)
        return OK;
    bytes_done(&evidence->ek);
    evidence->ek = content;
    return OK;
}

static enum outcome add_ca(struct db *db, const struct evidence_lack *lack,
                           struct evidence *evidence, struct endorsing *e, struct error *err)
{
    struct bytes content = {0};
    if (!lack->ca || evidence->ca_count == EVIDENCE_CA_MAX)
        return OK;
    TRY(find(db, &lack->chain, e, &content, err));
    if (content.len > 0)
        evidence->ca[evidence->ca_count++] = content;
    return OK;
}

static enum outcome note_coming(struct db *db, const struct evidence_lack *lack,
                                struct endorsing *e, struct error *err)
{
    char name[KDS_NAME_SIZE];
    bool there = true;
    if (!lack->is_coming)
        return OK;
    kds_name(&lack->coming, name);
    TRY(endorsement_store_has(db, name, &there, err));
    e->is_coming = !there;
    e->coming = lack->coming;
    return OK;
}

/* What a host gives today it may not give tomorrow. */
static enum outcome note_lesson(struct db *db, const struct evidence_lack *lack,
                                struct endorsing *e, struct error *err)
{
    char name[KDS_NAME_SIZE];
    bool there = true;
    if (!lack->ek && lack->ek_can_be_had) {
        kds_name(&lack->vcek, name);
        TRY(endorsement_store_has(db, name, &there, err));
    }
    if (there && !lack->ca) {
        kds_name(&lack->chain, name);
        TRY(endorsement_store_has(db, name, &there, err));
    }
    e->teaches = !there;
    return OK;
}

/* There were reports of version 2 on these lines only. The chip has a key in one of them: where
 * none is here yet, both are asked for. */
static enum outcome find_line(struct db *db, const struct evidence *evidence,
                              struct evidence_lack *lack, struct endorsing *e, struct error *err)
{
    static const enum snp_line lines[] = {LINE_MILAN, LINE_GENOA};
    for (size_t i = 0; i < countof(lines); i++) {
        char name[KDS_NAME_SIZE];
        bool there = false;
        evidence_lack_find_in(evidence, lines[i], lack);
        if (!lack->ek_can_be_had)
            continue;
        kds_name(&lack->vcek, name);
        TRY(endorsement_store_has(db, name, &there, err));
        if (there) {
            e->wanted_count = 0;
            return OK;
        }
        e->wanted[e->wanted_count++] = lack->vcek;
    }
    e->essential = e->wanted_count > 0;
    lack->known = false;
    return OK;
}

static enum outcome complete(struct db *db, struct evidence *evidence, struct endorsing *e,
                             struct error *err)
{
    struct evidence_lack lack;
    evidence_lack_find(evidence, &lack);
    if (lack.unsaid)
        TRY(find_line(db, evidence, &lack, e, err));
    if (!lack.known)
        return OK;
    TRY(add_ek(db, &lack, evidence, e, err));
    TRY(add_ca(db, &lack, evidence, e, err));
    e->essential = e->wanted_count > 0;
    TRY(find(db, &lack.crl, e, &e->crl, err));
    TRY(note_coming(db, &lack, e, err));
    TRY(note_lesson(db, &lack, e, err));
    if (!lack.ek && !lack.ca)
        return OK;
    OWNED(mem_drop) char *printed = evidence_print(evidence);
    if (strlen(printed) > EVIDENCE_JSON_MAX)
        return OK;
    bytes_done(&e->evidence);
    bytes_add(&e->evidence, span_of_text(printed));
    return OK;
}

enum outcome endorsing_complete(struct db *db, const struct snp_roots *roots, struct span in,
                                struct endorsing *out, struct error *err)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    out->evidence = bytes_copy(in);
    if (evidence_parse(in, &evidence, NULL) != OK)
        return OK;
    /* The simulator's roots endorse simulated evidence, AMD's everything else. */
    if ((evidence.kind == EVIDENCE_SIMULATED) != snp_roots_are_custom(roots))
        return OK;
    enum outcome outcome = complete(db, &evidence, out, err);
    if (outcome != OK)
        endorsing_done(out);
    return outcome;
}
