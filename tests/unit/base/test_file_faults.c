/* SPDX-License-Identifier: Apache-2.0 */
/* Each call of the kernel that a file takes fails in turn: what is written is there whole or not at all. */
#include "base/file.h"
#include "base/guard.h"
#include "support/failing_io.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BYTES 40000 /* of several reads */
#define NAME "f.yaml"

struct files {
    struct scratch dir;
    char path[128];
    char part[160];
    char old[BYTES];
    char new[BYTES];
    struct iv_buf read;
};

static struct files files;

static void setup(void)
{
    files.dir = scratch_make();
    (void)strcpy(files.path, scratch_file(&files.dir, NAME).p);
    (void)strcpy(files.part, scratch_file(&files.dir, NAME ".part").p);
    memset(files.old, 'o', BYTES);
    memset(files.new, 'n', BYTES);
    iv_buf_init(&files.read, 2 * BYTES);
}

static void teardown(void)
{
    iv_buf_deinit(&files.read);
    scratch_remove(&files.dir);
}
TestSuite(file_faults, .init = setup, .fini = teardown);

static void put_old(void *ctx)
{
    (void)ctx;
    scratch_write(&files.dir, NAME, (struct iv_str){files.old, BYTES});
    iv_buf_clear(&files.read);
}

static void put_nothing(void *ctx)
{
    (void)ctx;
    (void)unlink(files.path);
}

static bool holds(const char *bytes)
{
    struct iv_err err = {.text = ""};
    iv_buf_clear(&files.read);
    cr_assert(iv_ok(iv_file_read(&files.read, iv_str_of(files.path), &err)), "%s", err.text);
    return files.read.n == BYTES && memcmp(files.read.p, bytes, BYTES) == 0;
}

static struct iv_rc_s read_it(void *ctx, struct iv_err *err)
{
    (void)ctx;
    return iv_file_read(&files.read, iv_str_of(files.path), err);
}

static void was_read(void *ctx, struct iv_rc_s rc, const char *where)
{
    (void)ctx;
    bool right = !iv_ok(rc) || (files.read.n == BYTES && memcmp(files.read.p, files.old, BYTES) == 0);
    cr_assert(right, "%s", where);
}

Test(file_faults, a_file_is_read_whole_or_refused)
{
    io_sweep_all(&(struct io_trial){put_old, read_it, was_read, NULL, files.path});
}

static struct iv_rc_s create_it(void *ctx, struct iv_err *err)
{
    (void)ctx;
    return iv_file_create(files.path, 0600, (struct iv_str){files.new, BYTES}, err);
}

static void was_created(void *ctx, struct iv_rc_s rc, const char *where)
{
    (void)ctx;
    bool there = access(files.path, F_OK) == 0;
    bool right = iv_ok(rc) ? there && holds(files.new) : !there;
    cr_assert(right, "%s", where);
}

Test(file_faults, a_new_file_is_there_whole_or_not_at_all)
{
    io_sweep_all(&(struct io_trial){put_nothing, create_it, was_created, NULL, files.path});
}

static struct iv_rc_s replace_it(void *ctx, struct iv_err *err)
{
    (void)ctx;
    return iv_file_replace(files.path, 0600, (struct iv_str){files.new, BYTES}, err);
}

static void was_replaced(void *ctx, struct iv_rc_s rc, const char *where)
{
    (void)ctx;
    bool right = holds(iv_ok(rc) ? files.new : files.old) && access(files.part, F_OK) != 0;
    cr_assert(right, "%s", where);
}

Test(file_faults, a_file_that_cannot_be_replaced_stays_as_it_was)
{
    io_sweep_all(&(struct io_trial){put_old, replace_it, was_replaced, NULL, files.path});
}
