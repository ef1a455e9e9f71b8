#include "controller/key_book.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct page {
    uint8_t keeper[SHA256_SIZE];
    char *jwt; /* NULL: empty */
    struct jwks set;
};

struct key_book {
    pthread_mutex_t lock;
    struct page pages[KEY_BOOK_PAGES];
    size_t next;
};

static void page_done(struct page *page)
{
    free(page->jwt);
    jwks_done(&page->set);
    *page = (struct page){0};
}

struct key_book *key_book_new(void)
{
    struct key_book *book = NEW(struct key_book);
    pthread_mutex_init(&book->lock, NULL);
    return book;
}

void key_book_free(struct key_book *book)
{
    if (book == NULL)
        return;
    for (size_t i = 0; i < KEY_BOOK_PAGES; i++)
        page_done(&book->pages[i]);
    pthread_mutex_destroy(&book->lock);
    free(book);
}

/* With the lock. */
static struct page *page_for(struct key_book *book, const uint8_t keeper[static SHA256_SIZE])
{
    for (size_t i = 0; i < KEY_BOOK_PAGES; i++)
        if (book->pages[i].jwt != NULL && memcmp(book->pages[i].keeper, keeper, SHA256_SIZE) == 0)
            return &book->pages[i];
    return &book->pages[book->next++ % KEY_BOOK_PAGES];
}

void key_book_put(struct key_book *book, const uint8_t keeper[static SHA256_SIZE], const char *jwt,
                  const struct jwks *set)
{
    pthread_mutex_lock(&book->lock);
    struct page *page = page_for(book, keeper);
    page_done(page);
    memcpy(page->keeper, keeper, SHA256_SIZE);
    page->jwt = mem_text(jwt);
    for (size_t i = 0; i < set->count; i++)
        page->set.certs[page->set.count++] = cert_share(set->certs[i]);
    pthread_mutex_unlock(&book->lock);
}

static bool is_listed(const json_t *keys, const json_t *key)
{
    size_t i;
    const json_t *other;
    json_array_foreach (json_looked_at(keys), i, other)
        if (json_equal(json_object_get(other, "kid"), json_object_get(key, "kid")))
            return true;
    return false;
}

static enum outcome add_keys(const struct page *page, struct moment now, json_t *keys,
                             struct error *err)
{
    for (size_t i = 0; i < page->set.count; i++) {
        OWNED(json_drop) json_t *key = NULL;
        if (cert_not_after(page->set.certs[i]).us <= now.us)
            continue;
        TRY(jwks_key_to_json(page->set.certs[i], &key, err));
        if (!is_listed(keys, key))
            json_add_new(keys, json_incref(key));
    }
    return OK;
}

/* With the lock. */
static enum outcome add_pages(const struct key_book *book, struct moment now, json_t *keys,
                              json_t *sets, struct error *err)
{
    for (size_t i = 0; i < KEY_BOOK_PAGES; i++) {
        const struct page *page = &book->pages[i];
        if (page->jwt == NULL)
            continue;
        TRY(add_keys(page, now, keys, err));
        json_add_new(sets, json_string(page->jwt));
    }
    return OK;
}

enum outcome key_book_show(struct key_book *book, struct moment now, json_t **out,
                           struct error *err)
{
    OWNED(json_drop) json_t *shown = json_object();
    json_t *keys = json_array();
    json_t *sets = json_array();
    json_put_new(shown, "keys", keys);
    json_put_new(shown, "signed_jwks", sets);
    pthread_mutex_lock(&book->lock);
    enum outcome outcome = add_pages(book, now, keys, sets, err);
    pthread_mutex_unlock(&book->lock);
    TRY(outcome);
    if (json_array_size(sets) == 0)
        return fail_code(err, ERR_UNREACHABLE, "no-keeper",
                         "no keeper has said yet what it signs with");
    *out = TAKE(shown);
    return OK;
}
