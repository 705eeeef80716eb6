/* SPDX-License-Identifier: Apache-2.0 */
#include "support/disk_with_store.h"

#include "base/guard.h"
#include "evidence/store.h"

/* The database alone: a store that is closed has moved its log into it. */
static void *make_store(struct iv_str path, size_t *n)
{
    struct iv_err err = {.text = ""};
    struct iv_store *store = NULL;
    struct disk *disk = disk_new();
    IV_CHECK(iv_ok(iv_store_open(&store, path, &err)));
    iv_store_close(store);
    void *bytes = disk_take_file(disk, path.p, n);
    disk_free(disk);
    return bytes;
}

struct disk *disk_new_with_store(struct iv_str path)
{
    static void *made;
    static size_t made_bytes;
    if (made == NULL) {
        made = make_store(path, &made_bytes);
    }
    struct disk *disk = disk_new();
    disk_put_file(disk, path.p, made, made_bytes);
    return disk;
}
