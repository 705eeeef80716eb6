/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/journal.h"
#include "evidence/reader.h"
#include "support/log_audit.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct world {
    struct scratch dir;
    struct iv_store *store;
    char path[128];
};

static void world_init(struct world *w)
{
    struct iv_err err = {.text = ""};
    w->dir = scratch_make();
    struct iv_str path = scratch_file(&w->dir, "s.db");
    (void)snprintf(w->path, sizeof w->path, "%.*s", (int)path.n, path.p);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &err)), "%s", err.text);
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    scratch_remove(&w->dir);
}

static void put(struct world *w, enum iv_journal_kind kind, iv_ns at, const char *about)
{
    struct iv_err err = {.text = ""};
    const struct iv_journal_row row = {.at = at, .about = iv_str_of(about), .cause = IV_STR("a cause")};
    cr_assert(iv_ok(iv_store_begin(w->store, &err)));
    cr_assert(iv_ok(iv_store_put_journal(w->store, kind, &row, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &err)));
}

/* "what/about what/about" */
struct told {
    char text[512];
    size_t count;
    int64_t first;
    int64_t last;
};

static bool tell(void *ctx, const struct iv_journal_row *row)
{
    struct told *t = ctx;
    size_t n = strlen(t->text);
    (void)snprintf(t->text + n, sizeof t->text - n, "%s%.*s/%.*s", n == 0 ? "" : " ", (int)row->what.n,
                   row->what.p, (int)row->about.n, row->about.p);
    t->first = t->count == 0 ? row->seq : t->first;
    t->last = row->seq;
    t->count++;
    return true;
}

static struct told read_all(const struct world *w, const struct iv_journal_filter *filter)
{
    struct told t = {.text = ""};
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_journal(reader, filter, tell, &t, &err)), "%s", err.text);
    return t;
}

Test(journal, is_read_by_what_time_and_page_in_either_order)
{
    struct world w;
    world_init(&w);
    put(&w, IV_JOURNAL_STARTED, 10, "");
    put(&w, IV_JOURNAL_LAG, 20, "ledger");
    put(&w, IV_JOURNAL_LAG_OVER, 30, "ledger");
    put(&w, IV_JOURNAL_LAG, 40, "telemetry");
    static const struct {
        struct iv_journal_filter filter;
        const char *want;
    } rows[] = {
        {{.limit = 0}, "started/ lag/ledger lag-over/ledger lag/telemetry"},
        {{.newest_first = true, .limit = 2}, "lag/telemetry lag-over/ledger"},
        {{.newest_first = true, .before = 3}, "lag/ledger started/"},
        {{.after = 3}, "lag/telemetry"},
        {{.what = IV_STR_INIT("lag")}, "lag/ledger lag/telemetry"},
        {{.from = 20, .until = 40}, "lag/ledger lag-over/ledger"},
        {{.from = IV_NS_MIN, .until = 20}, "started/"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct told t = read_all(&w, &rows[i].filter);
        cr_expect_str_eq(t.text, rows[i].want, "row %zu", i);
    }
    world_deinit(&w);
}

Test(journal, enters_what_the_log_does_not_have_otherwise)
{
    struct world w;
    uint64_t size = 0;
    world_init(&w);
    put(&w, IV_JOURNAL_STARTED, 1, "");
    put(&w, IV_JOURNAL_LAG, 2, "ledger");
    put(&w, IV_JOURNAL_PAUSED, 3, "ann");
    put(&w, IV_JOURNAL_SINK_FAILING, 4, "page");
    const char *wrong = log_audit(&size, w.path);
    cr_assert_null(wrong, "%s", wrong);
    cr_expect_eq(size, 2);
    world_deinit(&w);
}

Test(journal, knows_how_the_last_run_ended)
{
    static const struct {
        enum iv_journal_kind kind;
        bool ended;
    } rows[] = {{IV_JOURNAL_STARTED, false},
                {IV_JOURNAL_LAG, false},
                {IV_JOURNAL_STOPPED, true},
                {IV_JOURNAL_PAUSED, true},
                {IV_JOURNAL_STARTED, false}};
    struct world w;
    bool known = true;
    bool ended = false;
    world_init(&w);
    cr_assert(iv_ok(iv_store_begin(w.store, NULL)));
    cr_assert(iv_ok(iv_store_journal_ended(w.store, &known, &ended, NULL)));
    iv_store_rollback(w.store);
    cr_expect_not(known);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        put(&w, rows[i].kind, 1, "");
        cr_assert(iv_ok(iv_store_begin(w.store, NULL)));
        cr_assert(iv_ok(iv_store_journal_ended(w.store, &known, &ended, NULL)));
        iv_store_rollback(w.store);
        cr_expect(known && ended == rows[i].ended, "row %zu", i);
    }
    world_deinit(&w);
}

Test(journal, keeps_the_newest_rows_alone)
{
    struct world w;
    const struct iv_journal_row row = {.at = 1, .about = IV_STR(""), .cause = IV_STR("")};
    world_init(&w);
    cr_assert(iv_ok(iv_store_begin(w.store, NULL)));
    for (size_t i = 0; i < IV_JOURNAL_ROWS + 7; i++) {
        cr_assert(iv_ok(iv_store_put_journal(w.store, IV_JOURNAL_PAUSED, &row, NULL)));
    }
    cr_assert(iv_ok(iv_store_commit(w.store, NULL)));
    struct told t = read_all(&w, &(struct iv_journal_filter){.limit = 2 * (size_t)IV_JOURNAL_ROWS});
    cr_expect_eq(t.count, IV_JOURNAL_ROWS);
    cr_expect_eq(t.first, 8);
    cr_expect_eq(t.last, IV_JOURNAL_ROWS + 7);
    world_deinit(&w);
}
