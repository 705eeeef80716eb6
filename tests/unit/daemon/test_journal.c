/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "baseline/problems.h"
#include "daemon/journal.h"
#include "evidence/journal.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct iv_baseline *load(const struct scratch *dir, const char *name)
{
    char text[128];
    struct iv_baseline *baseline = NULL;
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    (void)snprintf(text, sizeof text, "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: %s}\n", name);
    scratch_write(dir, "baseline.yaml", iv_str_of(text));
    cr_assert(iv_ok(iv_problems_new(&problems, &err)));
    cr_assert(iv_ok(iv_baseline_load(&baseline, iv_str_of(dir->path), problems, &err)), "%s", err.text);
    return baseline;
}

struct changes {
    size_t count;
    char digest[128]; /* of the last */
    char cause[256];
};

static bool note_change(void *ctx, const struct iv_journal_row *row)
{
    struct changes *c = ctx;
    c->count++;
    (void)snprintf(c->digest, sizeof c->digest, IV_STR_FMT, IV_STR_ARG(row->about));
    (void)snprintf(c->cause, sizeof c->cause, IV_STR_FMT, IV_STR_ARG(row->cause));
    return true;
}

static struct changes changes_in(struct iv_str path)
{
    struct changes c = {.count = 0};
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    const struct iv_journal_filter filter = {.what = IV_STR("reloaded")};
    cr_assert(iv_ok(iv_reader_open(&reader, path, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_journal(reader, &filter, note_change, &c, &err)), "%s", err.text);
    return c;
}

Test(journal, a_start_under_another_baseline_is_a_change_of_it)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_str path = scratch_file(&dir, "s.db");
    cr_assert(iv_ok(iv_store_open(&store, path, &err)), "%s", err.text);
    struct iv_baseline *first = load(&dir, "first");
    struct iv_baseline *second = load(&dir, "second");

    cr_assert(iv_ok(iv_journal_start(store, first, IV_STR("detect"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_journal_start(store, first, IV_STR("detect"), &err)), "%s", err.text);
    path = scratch_file(&dir, "s.db");
    cr_expect(eq(sz, changes_in(path).count, 0));

    cr_assert(iv_ok(iv_journal_start(store, second, IV_STR("detect"), &err)), "%s", err.text);
    struct changes c = changes_in(path);
    cr_expect(eq(sz, c.count, 1));
    cr_expect_str_eq(c.digest, second->digest_hex);
    cr_expect(strstr(c.cause, "with a start") != NULL && strstr(c.cause, first->digest_hex) != NULL, "%s",
              c.cause);

    iv_baseline_unref(first);
    iv_baseline_unref(second);
}
