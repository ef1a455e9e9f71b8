/* GET /.well-known/jwks.json: what opinions and passports are signed with, for everybody. */
#include "controller/api.h"

enum outcome keys_show(struct request *r, struct error *err)
{
    json_t *keys = NULL;
    TRY(r->api->service.keys(r->api->service.service, &keys, err));
    request_answer(r, 200, keys);
    return OK;
}
