/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "support/disk_internal.h"

#include <stdlib.h>
#include <string.h>

uint64_t disk_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void *disk_must(void *p)
{
    IV_CHECK(p != NULL);
    return p;
}

const char *disk_op_name(enum disk_op op)
{
    static const char *const names[] = {"open",     "read",   "write", "sync",
                                        "truncate", "delete", "lock",  "index"};
    return names[op];
}

const char *disk_failure_name(enum disk_failure failure)
{
    static const char *const names[] = {"error", "no space", "torn", "busy"};
    return names[failure];
}

bool disk_fails(struct disk *d, enum disk_op op, enum disk_failure *how)
{
    d->counts[op]++;
    *how = d->killed ? DISK_ERROR : d->plan.how;
    if (d->killed) {
        return true;
    }
    if ((d->plan.ops >> op & 1) == 0) {
        return false;
    }
    if (d->plan.at > 1) {
        d->plan.at--;
        return false;
    }
    d->struck = true;
    d->plan.ops = d->plan.lasting ? d->plan.ops : 0;
    return true;
}

static void image_write(struct image *image, const void *bytes, size_t n, size_t offset)
{
    if (offset + n > image->capacity) {
        image->capacity = (offset + n) * 2;
        image->bytes = disk_must(realloc(image->bytes, image->capacity));
    }
    if (offset > image->size) {
        memset(image->bytes + image->size, 0, offset - image->size);
    }
    memcpy(image->bytes + offset, bytes, n);
    image->size = offset + n > image->size ? offset + n : image->size;
}

static void image_cut(struct image *image, size_t size)
{
    if (size > image->size) {
        image_write(image, "", 1, size - 1);
    }
    image->size = size;
}

static void note_change(struct disk_file *f, const void *bytes, size_t n, size_t offset)
{
    if (f->change_count == f->change_capacity) {
        f->change_capacity = f->change_capacity * 2 + 16;
        f->changes = disk_must(realloc(f->changes, f->change_capacity * sizeof *f->changes));
    }
    unsigned char *copy = NULL;
    if (bytes != NULL) {
        copy = disk_must(malloc(n + 1));
        memcpy(copy, bytes, n);
    }
    f->changes[f->change_count++] = (struct change){copy, n, offset};
}

static void forget_changes(struct disk_file *f)
{
    for (size_t i = 0; i < f->change_count; i++) {
        free(f->changes[i].bytes);
    }
    f->change_count = 0;
}

static void apply(struct image *image, const struct change *c)
{
    if (c->bytes == NULL) {
        image_cut(image, c->offset);
    } else {
        image_write(image, c->bytes, c->n, c->offset);
    }
}

void disk_empty(struct disk_file *f)
{
    forget_changes(f);
    f->seen.size = 0;
    f->durable.size = 0;
    f->name[0] = '\0';
}

void disk_drop_index(struct disk_file *f)
{
    for (size_t i = 0; i < DISK_REGIONS; i++) {
        free(f->regions[i]);
        f->regions[i] = NULL;
    }
    memset(f->shared, 0, sizeof f->shared);
}

void disk_write(struct disk_file *f, const void *bytes, size_t n, size_t offset)
{
    image_write(&f->seen, bytes, n, offset);
    note_change(f, bytes, n, offset);
}

void disk_cut(struct disk_file *f, size_t size)
{
    image_cut(&f->seen, size);
    note_change(f, NULL, 0, size);
}

void disk_sync(struct disk_file *f, bool part)
{
    size_t n = part ? f->change_count / 2 : f->change_count;
    for (size_t i = 0; i < n; i++) {
        apply(&f->durable, &f->changes[i]);
    }
    if (!part) {
        forget_changes(f);
    }
}

struct disk_file *disk_find(struct disk *d, const char *name)
{
    for (size_t i = 0; i < DISK_FILES; i++) {
        if (strcmp(d->files[i].name, name) == 0) {
            return &d->files[i];
        }
    }
    return NULL;
}

struct disk_file *disk_make(struct disk *d, const char *name)
{
    for (size_t i = 0; i < DISK_FILES; i++) {
        if (d->files[i].name[0] == '\0' && d->files[i].handles == 0) {
            IV_CHECK(strlen(name) < sizeof d->files[i].name);
            memcpy(d->files[i].name, name, strlen(name) + 1);
            return &d->files[i];
        }
    }
    IV_CHECK(!"the disk has room for few files");
    return NULL;
}

void *disk_take_file(const struct disk *d, const char *name, size_t *n)
{
    for (size_t i = 0; i < DISK_FILES; i++) {
        const struct image *seen = &d->files[i].seen;
        if (strcmp(d->files[i].name, name) == 0 && seen->size > 0) {
            *n = seen->size;
            return memcpy(disk_must(malloc(seen->size)), seen->bytes, seen->size);
        }
    }
    IV_CHECK(!"the disk has no such file");
    return NULL;
}

void disk_put_file(struct disk *d, const char *name, const void *bytes, size_t n)
{
    struct disk_file *f = disk_make(d, name);
    image_write(&f->seen, bytes, n, 0);
    image_write(&f->durable, bytes, n, 0);
}

struct disk *disk_new(void)
{
    struct disk *d = disk_must(calloc(1, sizeof *d));
    d->vfs = disk_vfs;
    d->vfs.pAppData = d;
    IV_CHECK(sqlite3_vfs_register(&d->vfs, 1) == SQLITE_OK);
    return d;
}

void disk_free(struct disk *disk)
{
    if (disk == NULL) {
        return;
    }
    IV_CHECK(sqlite3_vfs_unregister(&disk->vfs) == SQLITE_OK);
    for (size_t i = 0; i < DISK_FILES; i++) {
        struct disk_file *f = &disk->files[i];
        IV_CHECK(f->handles == 0);
        forget_changes(f);
        disk_drop_index(f);
        free(f->changes);
        free(f->seen.bytes);
        free(f->durable.bytes);
    }
    free(disk);
}

void disk_fail(struct disk *disk, const struct disk_plan *plan)
{
    disk->plan = *plan;
    disk->struck = false;
}

bool disk_failed(const struct disk *disk)
{
    return disk->struck;
}

uint64_t disk_count(const struct disk *disk, unsigned ops)
{
    uint64_t sum = 0;
    for (int op = 0; op < DISK_OPS; op++) {
        sum += (ops >> op & 1) != 0 ? disk->counts[op] : 0;
    }
    return sum;
}

void disk_kill(struct disk *disk)
{
    disk->killed = true;
}

/* A third of the writes is there, a third is not, and of the others some sectors are. */
static void settle(struct disk_file *f, uint64_t *random)
{
    for (size_t i = 0; i < f->change_count; i++) {
        const struct change *c = &f->changes[i];
        uint64_t die = disk_random(random) % 3;
        if (die == 0 || (die == 2 && c->bytes == NULL)) {
            continue;
        }
        if (die == 1) {
            apply(&f->durable, c);
            continue;
        }
        for (size_t at = 0, end; at < c->n; at = end) {
            end = ((c->offset + at) / DISK_SECTOR + 1) * DISK_SECTOR - c->offset;
            end = end < c->n ? end : c->n;
            if (disk_random(random) % 2 == 0) {
                image_write(&f->durable, c->bytes + at, end - at, c->offset + at);
            }
        }
    }
}

void disk_restart(struct disk *disk, bool power, uint64_t seed)
{
    for (size_t i = 0; i < DISK_FILES; i++) {
        struct disk_file *f = &disk->files[i];
        IV_CHECK(f->handles == 0);
        disk_drop_index(f);
        if (power && f->name[0] != '\0') {
            settle(f, &seed);
            forget_changes(f);
            f->seen.size = 0;
            if (f->durable.size > 0) {
                image_write(&f->seen, f->durable.bytes, f->durable.size, 0);
            }
        }
    }
    disk->plan = (struct disk_plan){0};
    disk->killed = false;
    disk->struck = false;
}
