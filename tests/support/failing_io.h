/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the kernel that fail on command: opening, reading, writing, syncing, renaming, closing.
 * Purpose: every one of them in turn, in every way that a manual page has, for whatever a test does in
 * between. A test program that links this with the linker's --wrap (failing_io() in tests/CMakeLists.txt) has
 * its own and our rooms' calls pass here; those of shared libraries do not. Owner/thread: one thread. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum io_op { IO_OPEN, IO_READ, IO_WRITE, IO_SYNC, IO_RENAME, IO_CLOSE, IO_OPS };
enum io_failure {
    IO_ERROR,       /* EIO: nothing was done */
    IO_FULL,        /* ENOSPC: nothing was done */
    IO_TORN,        /* half of it was done, and then EIO, here and at all later calls */
    IO_SHORT,       /* half of it was done, which is no error */
    IO_INTERRUPTED, /* EINTR: nothing was done, which is no error either */
    IO_FAILURES
};
const char *io_op_name(enum io_op op);
const char *io_failure_name(enum io_failure failure);

/* Something that is done to files. */
struct io_trial {
    void (*prepare)(void *ctx);
    struct iv_rc_s (*act)(void *ctx, struct iv_err *err);
    /* Holds what was answered against what is there; fails the test itself. */
    void (*check)(void *ctx, struct iv_rc_s rc, const char *where);
    void *ctx;
    const char *path; /* every sentence names it */
};

/* The first such call fails, then the second, until there are no more; once, or with all later ones. Answers
 * how many there were. An error must have a sentence; what is no error must succeed. */
uint64_t io_sweep(const struct io_trial *trial, enum io_op op, enum io_failure how, bool lasting);
/* All of them that make sense; logs a table. */
void io_sweep_all(const struct io_trial *trial);
