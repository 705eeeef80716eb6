/* SPDX-License-Identifier: Apache-2.0 */
/* Each call of the kernel that a snapshot takes fails in turn: it is there whole under its name, or it is not
 * there and the one before is; and what is read is what was written, or refused. */
#include "base/alloc.h"
#include "base/guard.h"
#include "support/failing_io.h"
#include "support/scratch.h"
#include "vault/folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define CELL IV_STR("all")
#define BYTES (IV_VAULT_BLOCK_BYTES + 1000) /* of an engine: of two blocks */

static struct scratch dir;
static char *state;

static void setup(void)
{
    dir = scratch_make();
    state = iv_malloc(BYTES);
    cr_assert(state != NULL);
    memset(state, 's', BYTES);
}

static void teardown(void)
{
    iv_free(state);
    scratch_remove(&dir);
}
TestSuite(folder_faults, .init = setup, .fini = teardown);

static iv_rc write_blocks(struct iv_vault_file *file, struct iv_err *err)
{
    const struct iv_vault_head head = {.cell = CELL, .baseline = IV_STR("d"), .engine_count = 1};
    IV_AUTO(iv_vault_writer_deinit) struct iv_vault_writer w;
    iv_vault_writer_init(&w, iv_vault_file_sink, file);
    TRY(iv_vault_write_head(&w, &head, err));
    TRY(iv_vault_write_engine(&w, (struct iv_str){state, BYTES}, err));
    return iv_vault_write_end(&w, err);
}

static iv_rc write_file(struct iv_vault_file *file, struct iv_err *err)
{
    TRY(write_blocks(file, err));
    TRY(iv_vault_file_sync(file, err));
    return iv_vault_file_publish(file, err);
}

static struct iv_rc_s put(uint64_t number, struct iv_err *err)
{
    struct iv_vault_file file;
    TRY(iv_vault_file_open(&file, iv_str_of(dir.path), CELL, number, err));
    struct iv_rc_s rc = write_file(&file, err);
    iv_vault_file_close(&file);
    return rc;
}

static iv_rc get(uint64_t number, struct iv_err *err)
{
    IV_AUTO(iv_vault_reader_deinit) struct iv_vault_reader r;
    iv_vault_reader_init(&r, 4 * BYTES);
    TRY(iv_vault_file_read(&r, iv_str_of(dir.path), CELL, number, NULL, NULL, err));
    bool same = r.engines[0].n == BYTES && memcmp(r.engines[0].p, state, BYTES) == 0;
    cr_assert(same, "a snapshot that is another was read");
    return IV_OK;
}

static void put_first(void *ctx)
{
    struct iv_err err = {.text = ""};
    (void)ctx;
    cr_assert(iv_ok(iv_vault_folder_prune(iv_str_of(dir.path), CELL, 0, &err)), "%s", err.text);
    cr_assert(iv_ok(put(1, &err)), "%s", err.text);
}

static struct iv_rc_s put_second(void *ctx, struct iv_err *err)
{
    (void)ctx;
    return put(2, err);
}

/* What has a name is whole; and nothing else is left. */
static void is_whole(void *ctx, struct iv_rc_s rc, const char *where)
{
    uint64_t numbers[IV_VAULT_KEPT_MAX];
    struct iv_err err = {.text = ""};
    size_t count = 0;
    (void)ctx;
    cr_assert(
        iv_ok(iv_vault_folder_list(iv_str_of(dir.path), CELL, numbers, IV_COUNT(numbers), &count, &err)),
        "%s: %s", where, err.text);
    bool enough = count >= (iv_ok(rc) ? 2u : 1u);
    cr_assert(enough, "%s: %zu snapshots are there", where, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert(iv_ok(get(numbers[i], &err)), "%s: %s", where, err.text);
    }
}

Test(folder_faults, a_snapshot_is_there_whole_or_the_one_before_is)
{
    io_sweep_all(&(struct io_trial){put_first, put_second, is_whole, NULL, dir.path});
}

static struct iv_rc_s get_first(void *ctx, struct iv_err *err)
{
    (void)ctx;
    return get(1, err);
}

static void nothing(void *ctx, struct iv_rc_s rc, const char *where)
{
    (void)ctx;
    (void)rc;
    (void)where;
}

static void leave(void *ctx)
{
    (void)ctx;
}

Test(folder_faults, a_snapshot_is_read_as_it_was_written_or_refused)
{
    put_first(NULL);
    io_sweep_all(&(struct io_trial){leave, get_first, nothing, NULL, dir.path});
}
