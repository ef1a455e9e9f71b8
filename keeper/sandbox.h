/* What the keeper gives up before it speaks to anybody: other users' rights, cores, new privileges,
 * and every system call that a program does not need which reads its folder, dials out and answers.
 */
#ifndef MUSTER_KEEPER_SANDBOX_H
#define MUSTER_KEEPER_SANDBOX_H

#include "lib/base/error.h"

/* First thing: no core, no debugger, all memory locked where that is allowed (a warning where not),
 * and, when root, `user`'s rights only ("" stays what it is). */
enum outcome sandbox_drop(const char *user, struct error *err);

/* Before the first thread: the allow-list. Afterwards other programs cannot be started (that kills
 * the process), nothing can be listened on, no memory made executable. */
enum outcome sandbox_close(struct error *err);

#endif
