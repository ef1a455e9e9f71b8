#include "emulator/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

enum { LEDGER_MAX = 256 << 20, LINE_MAX_BYTES = 64 * 1024 };

struct ledger {
    int fd;
    int64_t last;
    json_t *entries;
};

static enum outcome take_lines(struct ledger *ledger, struct span content, size_t *whole,
                               struct error *err)
{
    *whole = 0;
    while (*whole < content.len) {
        const uint8_t *line = content.at + *whole;
        const uint8_t *end = memchr(line, '\n', content.len - *whole);
        if (end == NULL)
            return OK;
        json_t *entry = NULL;
        TRY(json_parse(SPAN(line, (size_t)(end - line)), LINE_MAX_BYTES, &entry, err));
        json_add_new(ledger->entries, entry);
        TRY(json_get_int(entry, "", "n", 1, INT64_MAX, &ledger->last, err));
        *whole += (size_t)(end - line) + 1;
    }
    return OK;
}

DROP(ledger_drop, struct ledger, ledger_close)

enum outcome ledger_open(const char *path, struct ledger **out, struct error *err)
{
    OWNED(ledger_drop) struct ledger *ledger = NEW(struct ledger);
    OWNED(bytes_done) struct bytes content = {0};
    size_t whole;
    ledger->fd = -1;
    ledger->entries = json_array();
    enum outcome there = file_read(path, LEDGER_MAX, &content, err);
    if (there != OK && there != ERR_NOT_FOUND)
        return there;
    if (take_lines(ledger, bytes_span(&content), &whole, err) != OK)
        return error_context(err, "%s", path);
    ledger->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (ledger->fd < 0 || ftruncate(ledger->fd, (off_t)whole) != 0)
        return fail(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    *out = TAKE(ledger);
    return OK;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    if (ledger->fd >= 0)
        close(ledger->fd);
    json_decref(ledger->entries);
    free(ledger);
}

static void put_given(json_t *entry, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        json_put_text(entry, name, value);
}

static void write_line(struct ledger *ledger, const json_t *entry)
{
    OWNED(mem_drop) char *text = json_print(entry);
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "%s\n", text);
    if (write(ledger->fd, text_str(&line), line.len) != (ssize_t)line.len ||
        fdatasync(ledger->fd) != 0) {
        LOG(ERROR, "ledger.not-written", TEXT("why", strerror(errno)));
        abort();
    }
}

void ledger_note(struct ledger *ledger, const char *event, const struct ledger_line *line)
{
    json_t *entry = json_object();
    json_put_int(entry, "n", ++ledger->last);
    json_put_moment(entry, "at", clock_now());
    json_put_text(entry, "event", event);
    put_given(entry, "cloud", line->cloud);
    put_given(entry, "ref", line->ref);
    put_given(entry, "name", line->name);
    put_given(entry, "client_token", line->client_token);
    put_given(entry, "instance", line->instance);
    put_given(entry, "action", line->action);
    put_given(entry, "detail", line->detail);
    if (line->pid != 0)
        json_put_int(entry, "pid", line->pid);
    write_line(ledger, entry);
    json_add_new(ledger->entries, entry);
}

json_t *ledger_since(const struct ledger *ledger, int64_t after)
{
    json_t *out = json_array();
    size_t i;
    json_t *entry;
    json_array_foreach (ledger->entries, i, entry)
        if (json_integer_value(json_object_get(entry, "n")) > after)
            json_add_new(out, json_deep_copy(entry));
    return out;
}
