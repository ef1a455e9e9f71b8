/* A cloud in shared memory: machines outlive the process that launched them, tokens are kept as EC2
 * keeps them, and the next launch can be told to go wrong, or to end the process that asked. */
#ifndef MUSTER_TESTS_FAKE_CLOUD_H
#define MUSTER_TESTS_FAKE_CLOUD_H

#include "drivers/driver.h"

enum { FAKE_MACHINES_MOST = 256, FAKE_LEFT_MOST = 16 };

enum mischief {
    MISCHIEF_NONE,
    MISCHIEF_REFUSE,         /* with `kind`: nothing is launched */
    MISCHIEF_LOSE_ANSWER,    /* launched, and the answer says ambiguous */
    MISCHIEF_LOSE_ORDER,     /* not launched, and the answer says ambiguous */
    MISCHIEF_LOSE_END,       /* not ended, and the answer says ambiguous */
    MISCHIEF_DIE_BEFORE,     /* the caller is killed before anything happens */
    MISCHIEF_DIE_AFTER,      /* ... when the machine is there and nobody knows */
    MISCHIEF_DIE_TERMINATED, /* the same when ending one */
    MISCHIEF_DIE_FOLLOWING,  /* the caller is killed when it asks after an operation */
    MISCHIEF_DIE_DISCARDING, /* the caller is killed before what was left behind is discarded ... */
    MISCHIEF_DIE_DISCARDED,  /* ... and when it is, and nobody knows */
    MISCHIEF_KEEP,           /* with `kind`: nothing is discarded, and no machine ended */
    MISCHIEF_BLIND,          /* with `kind`: nobody is told what is there */
    MISCHIEF_HIDE_LEFT,      /* with `kind`: nobody learns what was left behind */
};

struct fake_machine {
    struct sighting seen;
    char account[64];
    char image[64];
    char zone[64];
    char size[64];
    bool enclaves, no_snp;
    int asks_left; /* before its operation is over */
    bool stays;    /* its termination's operation fails */
    char user_data[USER_DATA_MAX + 1];
};

void fake_cloud_reset(void); /* before any fork */
/* The next `count` launches go wrong that way. */
void fake_cloud_mischief(enum mischief mischief, enum cloud_error kind, int count);

/* Only so many turns to launch; who asks for more is told to come back in `retry_ms`, when there
 * are as many again. */
void fake_cloud_turn_ms(int turns, int64_t retry_ms);
int fake_cloud_turns(void); /* asked for, ever */

int fake_cloud_machines(void); /* that are not gone */
int fake_cloud_launches(void); /* machines ever made */
int fake_cloud_calls(void);    /* launch calls ever */
struct fake_machine *fake_cloud_machine(int number);
void fake_cloud_break(int number);  /* gone, as when the host took it */
void fake_cloud_forget(int number); /* not even listed any more */
/* A machine that nobody launched through us, with these tags. */
int fake_cloud_plant(const struct uuid *instance, const char *token);

/* From now on it can be asked what it offers: one size of two vCPUs; NULL: it does not answer. */
void fake_cloud_offer(const char *size);
int fake_cloud_asked(void); /* how often it was */
/* From now on this account has no room; as many launches as it still takes are counted down. */
void fake_cloud_fill(const char *account, enum cloud_error kind, int room);
/* From now on launches in this zone are not supported. */
void fake_cloud_lack(const char *zone);
/* Launches and terminations go on after their answer: done when asked so often, or failed so. */
void fake_cloud_operations(int asks, const enum cloud_error *failure);
/* The operations of the next `count` terminations fail so, and the machine stays. */
void fake_cloud_keep(enum cloud_error kind, int count);
int fake_cloud_asks(void); /* how often anybody asked after one */
/* Machines cannot be seen, by any call, until this is called with false. */
void fake_cloud_hide(bool hidden);
void fake_cloud_fail(int number, enum cloud_error kind); /* its cloud takes it back */
/* From now on credentials are of this account: machines of the first are neither seen nor ended. */
void fake_cloud_whose(const char *account);
void fake_cloud_part(bool partial); /* lists leave out everything, and say so */

/* From now on it can be asked what was left behind: this. */
int fake_cloud_leave(enum leftover_kind kind, const char *ref, const struct uuid *instance,
                     const char *token);
void fake_cloud_attach(int number, bool attached);
int fake_cloud_left(void);      /* what was left behind and not discarded */
int fake_cloud_discards(void);  /* that took something away, ever */
int fake_cloud_left_asks(void); /* how often it was asked */

enum outcome fake_driver_of(const struct account *account, const struct driver **out,
                            struct error *err);

#endif
