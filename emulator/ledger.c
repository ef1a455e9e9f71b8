#include "emulator/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

enum { LEDGER_MAX = 256 << 20, LINE_MAX_BYTES = 64 * 1024 };

/* Only where each line begins is kept in memory: the n-th has the number n. */
struct ledger {
    int fd;
    bool flush;
    int64_t last;
    int64_t size;
    int64_t *begins;
    size_t room;
};

static void note_line(struct ledger *ledger, int64_t length)
{
    if ((size_t)ledger->last == ledger->room) {
        ledger->room = ledger->room == 0 ? 1024 : ledger->room * 2;
        ledger->begins = mem_resize(ledger->begins, ledger->room, sizeof *ledger->begins);
    }
    ledger->begins[ledger->last++] = ledger->size;
    ledger->size += length;
}

static enum outcome take_lines(struct ledger *ledger, struct span content, struct error *err)
{
    int64_t number;
    for (size_t at = 0; at < content.len;) {
        const uint8_t *line = content.at + at;
        const uint8_t *end = memchr(line, '\n', content.len - at);
        if (end == NULL)
            return OK;
        OWNED(json_drop) json_t *entry = NULL;
        TRY(json_parse(SPAN(line, (size_t)(end - line)), LINE_MAX_BYTES, &entry, err));
        TRY(json_get_int(entry, "", "n", ledger->last + 1, ledger->last + 1, &number, err));
        at += (size_t)(end - line) + 1;
        note_line(ledger, end - line + 1);
    }
    return OK;
}

DROP(ledger_drop, struct ledger, ledger_close)

enum outcome ledger_open(const char *path, bool flush, struct ledger **out, struct error *err)
{
    OWNED(ledger_drop) struct ledger *ledger = NEW(struct ledger);
    OWNED(bytes_done) struct bytes content = {0};
    ledger->fd = -1;
    ledger->flush = flush;
    enum outcome there = file_read(path, LEDGER_MAX, &content, err);
    if (there != OK && there != ERR_NOT_FOUND)
        return there;
    if (take_lines(ledger, bytes_span(&content), err) != OK)
        return error_context(err, "%s", path);
    ledger->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (ledger->fd < 0 || ftruncate(ledger->fd, (off_t)ledger->size) != 0)
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
    free(ledger->begins);
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
        (ledger->flush && fdatasync(ledger->fd) != 0)) {
        LOG(ERROR, "ledger.not-written", TEXT("why", strerror(errno)));
        abort();
    }
    note_line(ledger, (int64_t)line.len);
}

void ledger_note(struct ledger *ledger, const char *event, const struct ledger_line *line)
{
    json_t *entry = json_object();
    json_put_int(entry, "n", ledger->last + 1);
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
    json_decref(entry);
}

/* The whole lines from the one after `after`. */
static void read_lines(const struct ledger *ledger, int64_t after, struct bytes *out)
{
    uint8_t part[64 * 1024];
    ssize_t got;
    int64_t at = after < ledger->last ? ledger->begins[after] : ledger->size;
    for (; at < ledger->size && (got = pread(ledger->fd, part, sizeof part, (off_t)at)) > 0;
         at += got)
        bytes_add(out, SPAN(part, (size_t)got));
}

json_t *ledger_since(const struct ledger *ledger, int64_t after)
{
    json_t *out = json_array();
    OWNED(bytes_done) struct bytes lines = {0};
    read_lines(ledger, after, &lines);
    for (size_t at = 0; at < lines.len;) {
        const uint8_t *end = memchr(lines.at + at, '\n', lines.len - at);
        json_t *entry = NULL;
        if (end == NULL || json_parse(SPAN(lines.at + at, (size_t)(end - (lines.at + at))),
                                      LINE_MAX_BYTES, &entry, NULL) != OK)
            break;
        json_add_new(out, entry);
        at = (size_t)(end - lines.at) + 1;
    }
    return out;
}
