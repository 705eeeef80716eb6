/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation of the store fails in turn, SQLite's too, alone or with all that follow: the error is
 * told, nothing is written by halves, and with memory back the store goes on as if nothing had been. */
#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/disk_with_store.h"
#include "support/log_audit.h"
#include "support/sample.h"
#include "support/scratch.h"
#include "support/sqlite_memory.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define COMMITS 3

static void setup(void)
{
    sqlite_allocates_by_base();
}
TestSuite(store_memory, .init = setup);

static iv_rc write_inside(struct iv_store *store, struct sample *s, struct iv_err *err)
{
    struct iv_finding row;
    enum iv_put how;
    bool fresh = false;
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    TRY(iv_finding_of_verdict(&row, &scratch, &s->baseline, &s->verdict, 1, err));
    TRY(iv_store_put_finding(store, &how, &row, err));
    if (how == IV_PUT_NEW) {
        struct iv_posting posting = {.key = row.uid, .value = row.ocsf};
        struct iv_dead_letter letter = {.topic = IV_STR("t"), .reason = row.uid, .json = row.ocsf};
        memcpy(&letter.offset, s->verdict.uid, sizeof(int32_t));
        TRY(iv_store_post(store, NULL, &posting, err));
        TRY(iv_store_put_dead_letter(store, &fresh, &letter, err));
    }
    return IV_OK;
}

static iv_rc write_one(struct iv_store *store, struct sample *s, struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = write_inside(store, s, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

static iv_rc write_all(struct iv_store *store, struct sample *s, struct iv_err *err)
{
    for (unsigned number = 1; number <= COMMITS; number++) {
        sample_number(s, number);
        TRY(write_one(store, s, err));
    }
    return IV_OK;
}

static void count_posting(void *ctx, const struct iv_posting *posting)
{
    (void)posting;
    ++*(size_t *)ctx;
}

static bool count_finding(void *ctx, const struct iv_finding *finding)
{
    (void)finding;
    ++*(size_t *)ctx;
    return true;
}

static size_t postings_of(struct iv_store *store)
{
    size_t count = 0;
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_store_outbox(store, 0, 100, count_posting, &count, &err)), "%s", err.text);
    return count;
}

static size_t findings_of(const struct scratch *dir)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    size_t count = 0;
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_reader_open(&reader, scratch_file(dir, "s.db"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_findings(reader, &(struct iv_finding_filter){0}, count_finding, &count, &err)));
    return count;
}

/* False: the fault did not strike. */
static bool try_writing(uint64_t nth, bool lasting)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(sample_deinit) struct sample s;
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {.text = ""};
    struct disk *disk = disk_new_with_store(scratch_file(&dir, "s.db"));
    sample_init(&s);
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);

    iv_alloc_fail(nth, lasting);
    struct iv_rc_s rc = write_all(store, &s, &err);
    bool struck = iv_alloc_failed();
    iv_alloc_fail(0, false);

    bool told = iv_ok(rc) || err.text[0] != '\0';
    cr_assert(told, "allocation %llu", (unsigned long long)nth);
    cr_assert(eq(sz, postings_of(store), findings_of(&dir)), "allocation %llu: by halves",
              (unsigned long long)nth);
    cr_assert(iv_ok(write_all(store, &s, &err)), "allocation %llu, afterwards: %s", (unsigned long long)nth,
              err.text);
    cr_assert(eq(sz, findings_of(&dir), COMMITS));
    const char *wrong = log_audit(NULL, scratch_file(&dir, "s.db").p);
    cr_assert_null(wrong, "allocation %llu: %s", (unsigned long long)nth, wrong);
    iv_store_close(TAKE(store));
    disk_free(disk);
    return struck;
}

Test(store_memory, may_run_out_while_findings_are_written)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        uint64_t nth = 1;
        while (try_writing(nth, lasting != 0)) {
            nth++;
        }
        cr_log_info("%llu allocations%s", (unsigned long long)(nth - 1),
                    lasting ? ", and all later ones" : "");
        cr_expect(nth > 100);
    }
}

/* False: the fault did not strike. */
static bool try_opening(uint64_t nth, bool lasting)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_store *store = NULL;
    struct iv_reader *reader = NULL;
    struct iv_err err = {.text = ""};
    struct disk *disk = disk_new();

    iv_alloc_fail(nth, lasting);
    struct iv_rc_s rc = iv_store_open(&store, scratch_file(&dir, "s.db"), &err);
    if (iv_ok(rc)) {
        rc = iv_reader_open(&reader, scratch_file(&dir, "s.db"), &err);
    }
    iv_reader_close(reader);
    iv_store_close(store);
    bool struck = iv_alloc_failed();
    iv_alloc_fail(0, false);

    bool told = iv_ok(rc) || err.text[0] != '\0';
    cr_assert(told, "allocation %llu", (unsigned long long)nth);
    store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)),
              "allocation %llu, afterwards: %s", (unsigned long long)nth, err.text);
    iv_store_close(store);
    disk_free(disk);
    return struck;
}

Test(store_memory, may_run_out_while_a_store_is_opened)
{
    for (int lasting = 0; lasting < 2; lasting++) {
        uint64_t nth = 1;
        while (try_opening(nth, lasting != 0)) {
            nth += 1 + nth / 32; /* thousands, most of them of SQLite's parser */
        }
        cr_log_info("%llu allocations%s", (unsigned long long)(nth - 1),
                    lasting ? ", and all later ones" : "");
        cr_expect(nth > 100);
    }
}
