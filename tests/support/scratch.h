/* A folder of the test's own below $TMPDIR, gone when the test ends well. */
#ifndef MUSTER_TESTS_SCRATCH_H
#define MUSTER_TESTS_SCRATCH_H

/* For cmocka's set-up and tear-down; *state is the folder's path (char *). */
int scratch_open(void **state);
int scratch_close(void **state);

/* "<folder>/<name>"; the caller frees it. */
char *scratch_path(const char *folder, const char *name);

#endif
