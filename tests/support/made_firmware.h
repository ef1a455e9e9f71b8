/* A firmware with everything that a launch digest looks at, built from its end backwards. */
#ifndef MUSTER_TESTS_MADE_FIRMWARE_H
#define MUSTER_TESTS_MADE_FIRMWARE_H

#include "lib/base/bytes.h"

enum { FIRMWARE_MADE_SIZE = 8192, METADATA_FROM_END = 1024 };

struct firmware_wish {
    uint32_t sections[8][3]; /* address, size, kind */
    uint32_t section_count;
    uint32_t metadata_version;
    uint32_t metadata_from_end;
    bool reset_twice;
    uint32_t claimed_count; /* 0: the true one */
};

struct firmware_wish firmware_wish_usual(void);
void firmware_make(const struct firmware_wish *wish, uint8_t image[static FIRMWARE_MADE_SIZE]);

#endif
