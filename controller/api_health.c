#include "controller/api.h"

#include <string.h>

#include "lib/base/metrics.h"

static void answer_text(struct request *r, const char *content_type, struct span content)
{
    r->reply->status = 200;
    r->reply->content_type = content_type;
    bytes_add(&r->reply->body, content);
}

/* The process answers. Whether it is of use is readyz's question. */
enum outcome health_alive(struct request *r, struct error *err)
{
    (void)err;
    request_answer(r, 200, json_pack("{s:b}", "alive", true));
    return OK;
}

static bool database_answers(struct request *r)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    return r->db != NULL &&
           db_run(r->db, SQL_CHARTER_ACTIVE, PARAMS(p_text(r->api->project)), &rows, NULL) == OK;
}

enum outcome health_ready(struct request *r, struct error *err)
{
    (void)err;
    struct service_keepers keepers = {0};
    r->api->service.keepers(r->api->service.service, &keepers);
    bool database = database_answers(r);
    bool keeper = keepers.connected > 0;
    bool charter = keepers.charter_serial > 0;
    bool ready = database && keeper && charter;
    /* A maker's list that is due is told, and stops nobody: whether it counts is the policy's. */
    bool lists = metric_get(METRIC_CRL_STALE) == 0;
    request_answer(r, ready ? 200 : 503,
                   json_pack("{s:b, s:b, s:b, s:b, s:b}", "ready", ready, "database", database,
                             "keeper", keeper, "charter", charter, "revocation_lists", lists));
    return OK;
}

enum outcome health_metrics(struct request *r, struct error *err)
{
    (void)err;
    OWNED(text_done) struct text page = {0};
    metrics_print(&page);
    answer_text(r, "text/plain; version=0.0.4; charset=utf-8", text_span(&page));
    return OK;
}

enum outcome health_openapi(struct request *r, struct error *err)
{
    (void)err;
    answer_text(r, "application/json", span_of_text(openapi_json));
    return OK;
}
