/* SPDX-License-Identifier: Apache-2.0 */
/* The disk's insides, shared by disk.c (its life, and what a crash leaves) and disk_vfs.c (what SQLite asks
 * of it). */
#pragma once

#include "support/disk.h"

#include <sqlite3.h>

#define DISK_FILES 8
#define DISK_REGIONS 8
#define DISK_SECTOR 512

/* A change that was not synced yet; bytes NULL: the file was cut, or grew, to the offset. */
struct change {
    unsigned char *bytes;
    size_t n;
    size_t offset;
};

struct image {
    unsigned char *bytes;
    size_t size;
    size_t capacity;
};

struct disk_file {
    char name[512]; /* empty: there is no such file */
    struct image seen;
    struct image durable;
    struct change *changes;
    size_t change_count;
    size_t change_capacity;
    /* How many connections hold a lock of at least this level. */
    unsigned locks[SQLITE_LOCK_EXCLUSIVE + 1];
    void *regions[DISK_REGIONS];
    int shared[SQLITE_SHM_NLOCK]; /* holders; -1: one, exclusively */
    unsigned handles;
};

struct disk {
    sqlite3_vfs vfs;
    struct disk_file files[DISK_FILES];
    struct disk_plan plan;
    bool struck;
    bool killed;
    uint64_t counts[DISK_OPS];
    uint64_t random;
};

uint64_t disk_random(uint64_t *state);
/* Never NULL: the test ends instead. */
void *disk_must(void *p);

/* Counts the operation. True: it fails, in the way that *how says. */
bool disk_fails(struct disk *disk, enum disk_op op, enum disk_failure *how);
/* NULL: there is none. */
struct disk_file *disk_find(struct disk *disk, const char *name);
struct disk_file *disk_make(struct disk *disk, const char *name);
void disk_empty(struct disk_file *file);
void disk_drop_index(struct disk_file *file);

void disk_write(struct disk_file *file, const void *bytes, size_t n, size_t offset);
void disk_cut(struct disk_file *file, size_t size);
/* part: half of what is to be synced. */
void disk_sync(struct disk_file *file, bool part);

/* All but the disk it is of. */
extern const sqlite3_vfs disk_vfs;
