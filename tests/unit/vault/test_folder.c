/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/folder.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/guard.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CELL IV_STR("all")

static void put(struct scratch *dir, uint64_t number, const char *state, bool publish)
{
    struct iv_vault_head head = {.cell = CELL, .baseline = IV_STR("d"), .engine_count = 1};
    struct iv_vault_writer w;
    struct iv_vault_file file;
    struct iv_err err;
    cr_assert(iv_ok(iv_vault_file_open(&file, iv_str_of(dir->path), CELL, number, &err)), "%s", err.text);
    iv_vault_writer_init(&w, iv_vault_file_sink, &file);
    cr_assert(iv_ok(iv_vault_write_head(&w, &head, &err)) &&
                  iv_ok(iv_vault_write_engine(&w, iv_str_of(state), &err)) &&
                  iv_ok(iv_vault_write_end(&w, &err)),
              "%s", err.text);
    iv_vault_writer_deinit(&w);
    cr_assert(iv_ok(iv_vault_file_sync(&file, &err)), "%s", err.text);
    if (publish) {
        cr_assert(iv_ok(iv_vault_file_publish(&file, &err)), "%s", err.text);
        iv_vault_file_close(&file);
    }
}

static size_t list(const struct scratch *dir, uint64_t *numbers, size_t room)
{
    size_t count = 0;
    struct iv_err err;
    cr_assert(iv_ok(iv_vault_folder_list(iv_str_of(dir->path), CELL, numbers, room, &count, &err)), "%s",
              err.text);
    return count;
}

static struct iv_rc_s load(struct scratch *dir, uint64_t number, struct iv_buf *state, struct iv_err *err)
{
    struct iv_vault_reader r;
    iv_vault_reader_init(&r, 1 << 20);
    struct iv_rc_s rc = iv_vault_file_read(&r, iv_str_of(dir->path), CELL, number, NULL, NULL, err);
    if (iv_ok(rc)) {
        iv_buf_str(state, r.engines[0]);
    }
    iv_vault_reader_deinit(&r);
    return rc;
}

static const char *name_of(uint64_t number)
{
    static char name[64];
    (void)snprintf(name, sizeof name, "all.%020llu.snapshot", (unsigned long long)number);
    return name;
}

Test(folder, what_has_its_name_is_read_back_by_its_owner_alone)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct stat status;
    struct iv_buf state;
    struct iv_err err;
    iv_buf_init(&state, 100);
    put(&dir, 7, "what is known", true);

    cr_assert(iv_ok(load(&dir, 7, &state, &err)), "%s", err.text);
    cr_expect(iv_str_eq(iv_buf_slice(&state), IV_STR("what is known")));
    cr_assert(eq(int, stat(scratch_file(&dir, name_of(7)).p, &status), 0));
    cr_expect(eq(u32, status.st_mode & 0777, 0600));
    iv_buf_deinit(&state);
}

Test(folder, the_newest_come_first)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    uint64_t numbers[3] = {0};
    static const uint64_t put_down[] = {5, 12, 3, 100, 8};
    for (size_t i = 0; i < IV_COUNT(put_down); i++) {
        put(&dir, put_down[i], "x", true);
    }
    scratch_write(&dir, "all.snapshot", IV_STR("x"));
    scratch_write(&dir, "another.00000000000000000200.snapshot", IV_STR("x"));
    scratch_write(&dir, "all.0000000000000000020x.snapshot", IV_STR("x"));

    cr_assert(eq(sz, list(&dir, numbers, 3), 3));
    cr_expect(numbers[0] == 100 && numbers[1] == 12 && numbers[2] == 8);
}

Test(folder, only_the_newest_stay)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    uint64_t numbers[9] = {0};
    struct iv_err err;
    for (uint64_t i = 1; i <= 5; i++) {
        put(&dir, i, "x", true);
    }

    cr_assert(iv_ok(iv_vault_folder_prune(iv_str_of(dir.path), CELL, 2, &err)), "%s", err.text);

    cr_assert(eq(sz, list(&dir, numbers, 9), 2));
    cr_expect(numbers[0] == 5 && numbers[1] == 4);
}

Test(folder, what_was_not_published_is_not_there_and_goes_at_the_next_start)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    uint64_t numbers[9] = {0};
    struct iv_err err;
    char part[256];
    put(&dir, 1, "half", false);
    (void)snprintf(part, sizeof part, "%s.%ld.part", scratch_file(&dir, name_of(1)).p, (long)getpid());
    cr_assert(eq(int, access(part, F_OK), 0));

    cr_expect(eq(sz, list(&dir, numbers, 9), 0));
    cr_assert(iv_ok(iv_vault_folder_open(iv_str_of(dir.path), &err)), "%s", err.text);
    cr_expect(ne(int, access(part, F_OK), 0));
}

Test(folder, a_part_of_a_process_that_lives_stays)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_err err;
    scratch_write(&dir, "all.00000000000000000001.snapshot.1.part", IV_STR("x"));

    cr_assert(iv_ok(iv_vault_folder_open(iv_str_of(dir.path), &err)), "%s", err.text);

    cr_expect(eq(int, access(scratch_file(&dir, "all.00000000000000000001.snapshot.1.part").p, F_OK), 0));
}

Test(folder, what_one_writer_left_goes_and_what_others_write_stays)
{
    static const char *const names[] = {
        "all.00000000000000000001.snapshot.4711.part", "back-1.00000000000000000009.snapshot.4711.part",
        "all.00000000000000000001.snapshot.471.part", "all.00000000000000000001.snapshot"};
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        scratch_write(&dir, names[i], IV_STR("x"));
    }

    iv_vault_folder_clear(iv_str_of(dir.path), 4711);

    for (size_t i = 0; i < IV_COUNT(names); i++) {
        cr_expect(eq(int, access(scratch_file(&dir, names[i]).p, F_OK), i < 2 ? -1 : 0), "%s", names[i]);
    }
}

Test(folder, damage_names_the_file_and_the_place)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_buf bytes;
    struct iv_buf state;
    struct iv_err err;
    char wanted[512];
    iv_buf_init(&bytes, 1 << 20);
    iv_buf_init(&state, 100);
    put(&dir, 4, "what is known", true);
    cr_assert(iv_ok(iv_file_read(&bytes, scratch_file(&dir, name_of(4)), &err)), "%s", err.text);
    bytes.p[bytes.n - 40] ^= 1;
    scratch_write(&dir, name_of(4), iv_buf_slice(&bytes));

    cr_expect(eq(int, (int)load(&dir, 4, &state, &err).code, (int)IV_E_MALFORMED));

    (void)snprintf(wanted, sizeof wanted,
                   "the snapshot '%s': block 1, at byte %zu, is damaged: its sum is not that of its bytes",
                   scratch_file(&dir, name_of(4)).p, bytes.n - 20 - 4 - 8 - 13 - 16);
    cr_expect(eq(str, err.text, wanted));
    iv_buf_deinit(&bytes);
    iv_buf_deinit(&state);
}

Test(folder, a_folder_that_cannot_be_made_is_refused)
{
    struct iv_err err;

    cr_expect(eq(int, (int)iv_vault_folder_open(IV_STR("/nowhere/at/all"), &err).code, (int)IV_E_REFUSED));
    cr_expect(eq(str, err.text,
                 "cannot make the folder of snapshots '/nowhere/at/all': No such file or directory"));
}
