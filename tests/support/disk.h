/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory that fails on command, and that forgets what was not synced when the power fails.
 * Purpose: SQLite's default VFS while it stands, so that the store as it is, pragmas and all, can be shown
 * every failure of a disk, in any order, in microseconds.
 * Owner/thread: one disk at a time, one thread.
 * Guarantee: files outlive whoever opened them. After disk_kill nothing changes any more; disk_restart
 * settles what is left. The names of files are durable at once; what is in them is when it has been synced.
 * Not here: whether what is left makes sense; that is SQLite's promise and the test's question. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* Becomes SQLite's default. Ends the test program where memory is out. */
struct disk *disk_new(void);
/* Nothing on it may be open. */
void disk_free(struct disk *disk);

enum disk_op {
    DISK_OPEN,
    DISK_READ,
    DISK_WRITE,
    DISK_SYNC,
    DISK_TRUNCATE,
    DISK_DELETE,
    DISK_LOCK,   /* of the file, or of the index that connections share */
    DISK_SHARED, /* memory for that index */
    DISK_OPS
};
const char *disk_op_name(enum disk_op op);

enum disk_failure {
    DISK_ERROR, /* nothing is done */
    DISK_FULL,  /* nothing is done, for want of space */
    DISK_TORN,  /* the first part is done, and an error returned */
    DISK_BUSY,  /* somebody else has the lock */
};
const char *disk_failure_name(enum disk_failure failure);

struct disk_plan {
    unsigned ops; /* which operations, as bits 1 << op; 0: nothing fails */
    uint64_t at;  /* the at-th of them from now on, from 1 */
    enum disk_failure how;
    bool lasting; /* and all later ones */
};
void disk_fail(struct disk *disk, const struct disk_plan *plan);
/* Whether the plan has struck. */
bool disk_failed(const struct disk *disk);
/* Operations so far, of these as bits. */
uint64_t disk_count(const struct disk *disk, unsigned ops);

/* A file of another disk, for this one: it was there before, so all of it is durable. The bytes are the
 * caller's to free. */
void *disk_take_file(const struct disk *disk, const char *name, size_t *n);
void disk_put_file(struct disk *disk, const char *name, const void *bytes, size_t n);

/* The process is gone: whatever its connections still try fails, and changes nothing. */
void disk_kill(struct disk *disk);
/* As the next process finds it; nothing fails any more. power: it was lost as well, and of what was not
 * synced each write is there, or not, or some of its sectors are, as the seed says. */
void disk_restart(struct disk *disk, bool power, uint64_t seed);
