#include "drivers/aws/profile.h"

#include <stddef.h>
#include <string.h>

#define ROW(name, member)                                                                          \
    {                                                                                              \
        (name), offsetof(struct profile, member), sizeof(((struct profile *)0)->member)            \
    }

static const struct {
    const char *name;
    size_t offset;
    size_t size;
} settings[] = {
    ROW("aws_access_key_id", access_key_id),
    ROW("aws_secret_access_key", secret_access_key),
    ROW("aws_session_token", session_token),
    ROW("role_arn", role_arn),
    ROW("role_session_name", role_session_name),
    ROW("external_id", external_id),
    ROW("source_profile", source_profile),
    ROW("credential_source", credential_source),
    ROW("web_identity_token_file", web_identity_token_file),
    ROW("credential_process", credential_process),
};

void profile_done(struct profile *profile)
{
    explicit_bzero(profile, sizeof *profile);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trimmed(struct span s)
{
    while (s.len > 0 && is_blank(s.at[0]))
        s = span_part(s, 1, s.len - 1);
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

/* The next line, without its end; moves `rest` behind it. */
static struct span next_line(struct span *rest)
{
    const uint8_t *end = memchr(rest->at, '\n', rest->len);
    const size_t len = end != NULL ? (size_t)(end - rest->at) : rest->len;
    const struct span line = span_part(*rest, 0, len);
    *rest = span_part(*rest, len + (end != NULL), rest->len);
    return line;
}

static bool is_text(struct span s, const char *text)
{
    return span_equal(s, span_of_text(text));
}

static void take_setting(struct span line, struct profile *out)
{
    const uint8_t *equals = memchr(line.at, '=', line.len);
    if (equals == NULL)
        return;
    const size_t at = (size_t)(equals - line.at);
    const struct span name = trimmed(span_part(line, 0, at));
    const struct span value = trimmed(span_part(line, at + 1, line.len));
    for (size_t i = 0; i < countof(settings); i++) {
        char *field = (char *)out + settings[i].offset;
        if (!is_text(name, settings[i].name) || field[0] != '\0')
            continue;
        if (value.len > 0 && value.len < settings[i].size &&
            memchr(value.at, '\0', value.len) == NULL)
            memcpy(field, value.at, value.len);
    }
}

void profile_read(struct span file, const char *section, struct profile *out)
{
    bool ours = false;
    for (struct span rest = file; rest.len > 0;) {
        const struct span raw = next_line(&rest);
        const struct span line = trimmed(raw);
        if (line.len == 0 || line.at[0] == '#' || line.at[0] == ';')
            continue;
        if (line.at[0] == '[' && line.at[line.len - 1] == ']') {
            ours = is_text(trimmed(span_part(line, 1, line.len - 2)), section);
            out->found |= ours;
        } else if (ours && !is_blank(raw.at[0])) { /* indented: settings of a service */
            take_setting(line, out);
        }
    }
}
