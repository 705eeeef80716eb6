/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "support/disk_internal.h"

#include <stdlib.h>
#include <string.h>

/* What SQLite has of a file. */
struct handle {
    sqlite3_file base;
    struct disk *disk;
    struct disk_file *file;
    bool gone; /* deleted when it is closed */
    int level;
    unsigned reads;  /* of the index's locks, as bits */
    unsigned writes; /* exclusively */
};

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)(void *)file;
}

static void hold_level(struct handle *h, int level)
{
    for (; h->level < level; h->level++) {
        h->file->locks[h->level + 1]++;
    }
    for (; h->level > level; h->level--) {
        h->file->locks[h->level]--;
    }
}

static int on_close(sqlite3_file *file)
{
    struct handle *h = handle_of(file);
    hold_level(h, SQLITE_LOCK_NONE);
    h->file->handles--;
    if (h->gone && h->file->handles == 0) {
        disk_empty(h->file);
    }
    return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset)
{
    struct handle *h = handle_of(file);
    const struct image *seen = &h->file->seen;
    enum disk_failure how;
    size_t at = (size_t)offset;
    size_t n = (size_t)amount;
    bool bad = disk_fails(h->disk, DISK_READ, &how);
    if (bad && how != DISK_TORN) {
        return SQLITE_IOERR_READ;
    }
    size_t there = at >= seen->size ? 0 : seen->size - at;
    there = there < n ? there : n;
    there = bad ? there / 2 : there;
    if (there > 0) {
        memcpy(out, seen->bytes + at, there);
    }
    if (bad) {
        return SQLITE_IOERR_READ;
    }
    memset((char *)out + there, 0, n - there);
    return there < n ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int on_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset)
{
    struct handle *h = handle_of(file);
    enum disk_failure how;
    size_t n = (size_t)amount;
    bool bad = disk_fails(h->disk, DISK_WRITE, &how);
    n = !bad ? n : how == DISK_TORN ? n / 2 : 0;
    if (n > 0) {
        disk_write(h->file, bytes, n, (size_t)offset);
    }
    return !bad ? SQLITE_OK : how == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = handle_of(file);
    enum disk_failure how;
    if (disk_fails(h->disk, DISK_TRUNCATE, &how)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    disk_cut(h->file, (size_t)size);
    return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags)
{
    struct handle *h = handle_of(file);
    enum disk_failure how;
    (void)flags;
    bool bad = disk_fails(h->disk, DISK_SYNC, &how);
    if (bad && (how != DISK_TORN || h->disk->killed)) {
        return SQLITE_IOERR_FSYNC;
    }
    disk_sync(h->file, bad);
    return bad ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)handle_of(file)->file->seen.size;
    return SQLITE_OK;
}

/* Contract of SQLite's locks: any number may read; one may intend to write; one writes alone. */
static bool may_lock(const struct handle *h, int level)
{
    const unsigned *locks = h->file->locks;
    unsigned mine_reserved = h->level >= SQLITE_LOCK_RESERVED ? 1 : 0;
    unsigned mine_shared = h->level >= SQLITE_LOCK_SHARED ? 1 : 0;
    switch (level) {
    case SQLITE_LOCK_SHARED:
        return locks[SQLITE_LOCK_PENDING] == (h->level >= SQLITE_LOCK_PENDING ? 1u : 0u);
    case SQLITE_LOCK_RESERVED:
        return locks[SQLITE_LOCK_RESERVED] == mine_reserved;
    default:
        return locks[SQLITE_LOCK_SHARED] == mine_shared && locks[SQLITE_LOCK_RESERVED] == mine_reserved;
    }
}

static int on_lock(sqlite3_file *file, int level)
{
    struct handle *h = handle_of(file);
    enum disk_failure how;
    if (level <= h->level) {
        return SQLITE_OK;
    }
    if (disk_fails(h->disk, DISK_LOCK, &how)) {
        return how == DISK_BUSY ? SQLITE_BUSY : SQLITE_IOERR_LOCK;
    }
    if (!may_lock(h, level)) {
        return SQLITE_BUSY;
    }
    hold_level(h, level);
    return SQLITE_OK;
}

static int on_unlock(sqlite3_file *file, int level)
{
    hold_level(handle_of(file), level);
    return SQLITE_OK;
}

static int on_check_reserved(sqlite3_file *file, int *out)
{
    *out = handle_of(file)->file->locks[SQLITE_LOCK_RESERVED] > 0;
    return SQLITE_OK;
}

static int on_control(sqlite3_file *file, int op, void *argument)
{
    (void)file;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int on_sector(sqlite3_file *file)
{
    (void)file;
    return DISK_SECTOR;
}

static int on_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int on_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    struct handle *h = handle_of(file);
    enum disk_failure how;
    *out = NULL;
    if (disk_fails(h->disk, DISK_SHARED, &how)) {
        return SQLITE_IOERR_SHMMAP;
    }
    IV_CHECK(region < DISK_REGIONS);
    if (h->file->regions[region] == NULL && extend) {
        h->file->regions[region] = disk_must(calloc(1, (size_t)size));
    }
    *out = h->file->regions[region];
    return SQLITE_OK;
}

static bool may_share(const struct handle *h, int slot, bool exclusive)
{
    bool mine = (h->reads >> slot & 1) != 0;
    return exclusive ? h->file->shared[slot] == (mine ? 1 : 0) : h->file->shared[slot] >= 0;
}

static void take_slot(struct handle *h, int slot, int flags)
{
    unsigned bit = 1u << slot;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        h->file->shared[slot] = (h->writes & bit) != 0 ? 0 : h->file->shared[slot] - ((h->reads & bit) != 0);
        h->reads &= ~bit;
        h->writes &= ~bit;
    } else if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) {
        h->file->shared[slot] = -1;
        h->writes |= bit;
    } else if ((h->reads & bit) == 0) {
        h->file->shared[slot]++;
        h->reads |= bit;
    }
}

static int on_shared_lock(sqlite3_file *file, int offset, int n, int flags)
{
    struct handle *h = handle_of(file);
    enum disk_failure how;
    bool take = (flags & SQLITE_SHM_LOCK) != 0;
    if (take && disk_fails(h->disk, DISK_LOCK, &how)) {
        return how == DISK_BUSY ? SQLITE_BUSY : SQLITE_IOERR_SHMLOCK;
    }
    for (int slot = offset; take && slot < offset + n; slot++) {
        if (!may_share(h, slot, (flags & SQLITE_SHM_EXCLUSIVE) != 0)) {
            return SQLITE_BUSY;
        }
    }
    for (int slot = offset; slot < offset + n; slot++) {
        take_slot(h, slot, flags);
    }
    return SQLITE_OK;
}

static void on_barrier(sqlite3_file *file)
{
    (void)file;
}

static int on_unmap(sqlite3_file *file, int delete)
{
    struct handle *h = handle_of(file);
    for (int slot = 0; slot < SQLITE_SHM_NLOCK; slot++) {
        take_slot(h, slot, SQLITE_SHM_UNLOCK);
    }
    if (delete) {
        disk_drop_index(h->file);
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector,
    .xDeviceCharacteristics = on_traits,
    .xShmMap = on_map,
    .xShmLock = on_shared_lock,
    .xShmBarrier = on_barrier,
    .xShmUnmap = on_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct disk *d = vfs->pAppData;
    struct handle *h = handle_of(file);
    char temporary[32];
    enum disk_failure how;
    memset(h, 0, sizeof *h);
    if (disk_fails(d, DISK_OPEN, &how)) {
        return SQLITE_CANTOPEN;
    }
    if (name == NULL) {
        (void)sqlite3_snprintf(sizeof temporary, temporary, "temporary-%llx", disk_random(&d->random));
        name = temporary;
    }
    struct disk_file *f = disk_find(d, name);
    if (f == NULL && (flags & SQLITE_OPEN_CREATE) == 0 && (flags & SQLITE_OPEN_MAIN_DB) == 0) {
        return SQLITE_CANTOPEN;
    }
    *h = (struct handle){.base = {&methods}, .disk = d, .file = f != NULL ? f : disk_make(d, name)};
    h->gone = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    h->file->handles++;
    if (out_flags != NULL) {
        *out_flags = flags;
    }
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct disk *d = vfs->pAppData;
    enum disk_failure how;
    struct disk_file *f = disk_find(d, name);
    (void)sync;
    if (disk_fails(d, DISK_DELETE, &how)) {
        return SQLITE_IOERR_DELETE;
    }
    if (f == NULL) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    disk_empty(f);
    return SQLITE_OK;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)flags;
    *out = disk_find(vfs->pAppData, name) != NULL;
    return SQLITE_OK;
}

static int on_path(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
    (void)vfs;
    (void)sqlite3_snprintf(room, out, "%s", name);
    return SQLITE_OK;
}

static int on_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    struct disk *d = vfs->pAppData;
    for (int i = 0; i < n; i++) {
        out[i] = (char)disk_random(&d->random);
    }
    return n;
}

/* Nobody waits: nobody else is there to give way. */
static int on_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int on_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    *out = INT64_C(212000000000000);
    return SQLITE_OK;
}

const sqlite3_vfs disk_vfs = {
    .iVersion = 2,
    .szOsFile = sizeof(struct handle),
    .mxPathname = 500,
    .zName = "invigil-test-disk",
    .xOpen = on_open,
    .xDelete = on_delete,
    .xAccess = on_access,
    .xFullPathname = on_path,
    .xRandomness = on_randomness,
    .xSleep = on_sleep,
    .xCurrentTimeInt64 = on_time,
};
