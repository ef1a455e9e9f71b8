#include "controller/doubt.h"

#include <string.h>
#include <strings.h>

#include "db/instance_store.h"
#include "lib/base/log.h"

/* What is not said on either side is not compared. Azure keeps no capitals. */
static bool differ(const char *ordered, const char *shown)
{
    return ordered[0] != '\0' && shown[0] != '\0' && strcasecmp(ordered, shown) != 0;
}

static enum doubt doubt_of(const struct instance *row, const struct sighting *seen)
{
    if (differ(row->machine_id, seen->machine_id))
        return DOUBT_OTHER_MACHINE;
    return differ(row->image_ref, seen->image) ? DOUBT_OTHER_IMAGE : DOUBT_NONE;
}

enum outcome doubt_look(struct worker *w, const struct instance *row, const struct sighting *seen,
                        struct error *err)
{
    const enum doubt doubt = doubt_of(row, seen);
    const bool is_learned = row->machine_id[0] == '\0' && seen->machine_id[0] != '\0';
    if (doubt == row->doubt && !is_learned)
        return OK;
    if (doubt != row->doubt)
        LOG(WARN, "instance.doubted", TEXT("instance", uuid_text(&row->id).at),
            TEXT("ref", seen->ref), TEXT("doubt", name_of(&doubt_names, (int)doubt)),
            TEXT("machine", seen->machine_id), TEXT("image", seen->image));
    return instance_store_doubt(w->db, row, seen->machine_id, doubt, w->holder, err);
}
