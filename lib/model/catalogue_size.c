/* What is known of a size: vCPUs, memory, and whose processor it has. */
#include <stdio.h>
#include <string.h>

#include "lib/model/catalogue_inside.h"

bool catalogue_words_have(const json_t *words, const char *word)
{
    for (size_t i = 0; i < json_array_size(words); i++)
        if (strcmp(json_string_value(json_array_get(words, i)), word) == 0)
            return true;
    return false;
}

const char *catalogue_family(const char *size, char out[static NAME_SIZE])
{
    const size_t len = strcspn(size, ".");
    snprintf(out, NAME_SIZE, "%.*s", (int)(len < NAME_SIZE ? len : NAME_SIZE - 1), size);
    return size[len] == '.' ? size + len + 1 : "";
}

bool catalogue_is_metal(const char *size)
{
    char family[NAME_SIZE];
    return strncmp(catalogue_family(size, family), "metal", 5) == 0;
}

bool catalogue_families_have(const struct catalogue_rule *rule, const char *size,
                             enum catalogue_processor *out)
{
    char family[NAME_SIZE];
    const char *rest = catalogue_family(size, family);
    for (size_t i = 0; i < json_array_size(rule->families) && rest[0] != '\0'; i++) {
        const json_t *group = json_array_get(rule->families, i);
        int processor = 0;
        if (!catalogue_words_have(json_object_get(group, "names"), family))
            continue;
        error_ignore(name_parse(&catalogue_processor_names,
                                json_string_value(json_object_get(group, "processor")), &processor,
                                NULL));
        *out = (enum catalogue_processor)processor;
        return true;
    }
    return false;
}

/* EC2's names say how large a size is: "large" has two vCPUs, "4xlarge" sixteen. The smaller ones
 * have two as well, but for a Graviton's "medium". */
static int64_t vcpus_by_name(const char *size, enum catalogue_processor processor)
{
    static const char *const twos[] = {"nano", "micro", "small", "medium", "large"};
    char family[NAME_SIZE], digits[8];
    const char *rest = catalogue_family(size, family);
    int64_t times;
    if (processor == CPU_GRAVITON && strcmp(rest, "medium") == 0)
        return 1;
    for (size_t i = 0; i < countof(twos); i++)
        if (strcmp(rest, twos[i]) == 0)
            return 2;
    if (strcmp(rest, "xlarge") == 0)
        return 4;
    const size_t len = strspn(rest, "0123456789");
    if (len == 0 || len >= sizeof digits || strcmp(rest + len, "xlarge") != 0)
        return 0;
    snprintf(digits, sizeof digits, "%.*s", (int)len, rest);
    return number_parse(digits, 2, 4096, &times, NULL) == OK ? 4 * times : 0;
}

static void add_facts(const struct catalogue_rule *rule, const char *size,
                      struct catalogue_size *out)
{
    const json_t *facts = json_object_get(rule->sizes, size);
    const json_t *vcpus = json_object_get(facts, "vcpus");
    const json_t *memory = json_object_get(facts, "memory_mib");
    if (vcpus != NULL)
        out->vcpus = json_integer_value(vcpus);
    if (memory != NULL)
        out->memory_mib = json_integer_value(memory);
    if (rule->families == NULL || !catalogue_families_have(rule, size, &out->processor))
        return;
    out->has_processor = true;
    const json_t *said = json_object_get(rule->vcpus, size);
    if (said != NULL)
        out->vcpus = json_integer_value(said);
    else if (out->vcpus == 0)
        out->vcpus = vcpus_by_name(size, out->processor);
}

struct catalogue_size catalogue_size(const struct catalogue *catalogue, enum account_driver cloud,
                                     const char *size)
{
    struct catalogue_size out = {0};
    for (size_t i = 0; i < catalogue->count; i++)
        if (catalogue->rules[i].cloud == cloud)
            add_facts(&catalogue->rules[i], size, &out);
    return out;
}
