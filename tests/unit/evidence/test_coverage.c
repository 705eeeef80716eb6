/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/covered.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct world {
    struct scratch scratch;
    char path[512];
    struct iv_store *store;
    struct iv_err err;
};

static void world_init(struct world *w)
{
    w->scratch = scratch_make();
    (void)snprintf(w->path, sizeof w->path, "%s/store.db", w->scratch.path);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &w->err)), "%s", w->err.text);
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    scratch_remove(&w->scratch);
}

static void put(struct world *w, const char *topic, const struct iv_cover *cover)
{
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_put_cover(w->store, iv_str_of(topic), cover, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void forget(struct world *w, const char *rule, iv_ns from, iv_ns until)
{
    const struct iv_loss loss = {from, until, 1, IV_LOSS_EVICTED};
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_add_rule_loss(w->store, iv_str_of(rule), &loss, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void read(struct world *w, struct iv_covered *out)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_covered_read(out, reader, &w->err)), "%s", w->err.text);
}

/* Of the first hundred instants, those that are covered: "0-10 20-30". */
static const char *spans_of(const struct iv_covered *covered, unsigned streams, const char *rule)
{
    static char text[256];
    struct iv_spans spans = {NULL};
    size_t n = 0;
    iv_spans_add(&spans, 0, 100);
    iv_covered_meet(&spans, covered, streams, iv_str_of(rule));
    text[0] = '\0';
    for (size_t i = 0; i < spans.count; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%lld-%lld", i > 0 ? " " : "",
                              (long long)spans.at[i].from, (long long)spans.at[i].until);
    }
    iv_spans_deinit(&spans);
    return text;
}

#define LEDGER (1U << IV_LEDGER)
#define TELEMETRY (1U << IV_TELEMETRY)

Test(coverage, of_a_stream_is_that_of_all_its_partitions)
{
    struct world w;
    struct iv_covered covered;
    const struct iv_loss losses[] = {{10, 20, 3, IV_LOSS_SEQUENCE}, {15, 25, 1, IV_LOSS_LATE}};
    world_init(&w);
    put(&w, "l",
        &(struct iv_cover){.stream = IV_LEDGER, .first = 5, .reach = 60, .losses = losses, .loss_count = 2});
    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .partition = 1, .first = 3, .reach = 50});
    put(&w, "t", &(struct iv_cover){.stream = IV_TELEMETRY, .first = 8, .reach = 90});

    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), "0-10 25-50");
    cr_expect_str_eq(spans_of(&covered, TELEMETRY, "R"), "0-90");
    cr_expect_str_eq(spans_of(&covered, LEDGER | TELEMETRY, "R"), "0-10 25-50");
    cr_expect_eq(covered.streams[IV_LEDGER].first, 3);
    cr_expect_eq(iv_spans_length(&covered.streams[IV_LEDGER].lost[IV_LOSS_SEQUENCE], 0, 100), 10);
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

Test(coverage, of_a_partition_is_replaced_by_what_is_told_next)
{
    struct world w;
    struct iv_covered covered;
    const struct iv_loss loss = {10, 20, 3, IV_LOSS_SEQUENCE};
    world_init(&w);
    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .reach = 60, .losses = &loss, .loss_count = 1});
    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .reach = 70});

    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), "0-70");
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

Test(coverage, of_a_stream_that_nobody_reads_is_none)
{
    struct world w;
    struct iv_covered covered;
    world_init(&w);
    put(&w, "t", &(struct iv_cover){.stream = IV_TELEMETRY, .reach = 90});

    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), "");
    cr_expect_str_eq(spans_of(&covered, LEDGER | TELEMETRY, "R"), "");
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

Test(coverage, behind_a_partition_that_went_elsewhere_is_not_ours_to_deny)
{
    struct world w;
    struct iv_covered covered;
    world_init(&w);
    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .reach = 30, .state = IV_COVER_AWAY});
    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .partition = 1, .reach = 60});
    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), "0-60");
    iv_covered_deinit(&covered);

    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .reach = 30, .state = IV_COVER_BLIND});
    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), "0-30");
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

#define S IV_NS_PER_S

Test(coverage, the_period_ends_where_the_hindmost_that_is_read_has_come)
{
    static const struct {
        const char *what;
        struct iv_cover covers[3];
        iv_ns until;
    } rows[] = {
        {"two streams",
         {{.stream = IV_LEDGER, .first = 1000 * S, .reach = 1060 * S},
          {.stream = IV_TELEMETRY, .first = 1005 * S, .reach = 1050 * S}},
         1050 * S},
        {"two partitions of one",
         {{.stream = IV_LEDGER, .first = 1000 * S, .reach = 1060 * S},
          {.stream = IV_LEDGER, .partition = 1, .first = 1005 * S, .reach = 1051 * S}},
         1051 * S},
        {"one that is read elsewhere, and one that is held back",
         {{.stream = IV_LEDGER, .first = 1000 * S, .reach = 1060 * S},
          {.stream = IV_TELEMETRY, .first = 1000 * S, .reach = 1040 * S, .state = IV_COVER_AWAY},
          {.stream = IV_LEDGER,
           .partition = 1,
           .first = 1000 * S,
           .reach = 1030 * S,
           .state = IV_COVER_BLIND}},
         1060 * S},
        {"one that has come nowhere",
         {{.stream = IV_LEDGER, .first = 1000 * S, .reach = 1060 * S},
          {.stream = IV_TELEMETRY, .first = IV_NS_MAX, .reach = IV_NS_MIN}},
         1060 * S},
        {"one that stays behind is waited for only so long",
         {{.stream = IV_LEDGER, .first = 1000 * S, .reach = 9000 * S},
          {.stream = IV_TELEMETRY, .first = 1000 * S, .reach = 2000 * S}},
         9000 * S - IV_COVERED_WAIT},
        {"one that has come no further than where the other begins",
         {{.stream = IV_LEDGER, .first = 1000 * S, .reach = 1060 * S},
          {.stream = IV_TELEMETRY, .first = 1000 * S, .reach = 1000 * S}},
         1060 * S},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct world w;
        struct iv_covered covered;
        iv_ns from = 0;
        iv_ns until = 0;
        world_init(&w);
        for (size_t k = 0; k < 3 && rows[i].covers[k].reach != 0; k++) {
            put(&w, rows[i].covers[k].stream == IV_LEDGER ? "l" : "t", &rows[i].covers[k]);
        }
        read(&w, &covered);
        cr_expect(iv_covered_period(&covered, &from, &until), "%s", rows[i].what);
        cr_expect_eq(from, 1000 * S, "%s", rows[i].what);
        cr_expect_eq(until, rows[i].until, "%s: %lld", rows[i].what, (long long)(until / S));
        iv_covered_deinit(&covered);
        world_deinit(&w);
    }
}

Test(coverage, of_which_the_least_is_missing_is_never_called_whole)
{
    static const struct {
        iv_ns from;
        iv_ns until;
        double share;
    } rows[] = {
        {0, 1000 * S, 1},
        {1, 1000 * S, 0.999999},
        {0, 500 * S, 0.5},
        {0, 1, 0.000001},
        {0, 0, 0},
        {0, 999 * S + 999999000, 0.999999},
        {1000 * S, 2000 * S, 0.0},
        {-5, 2000 * S, 1},
        {0, 333333333333, 0.333333},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_spans spans = {NULL};
        iv_spans_add(&spans, rows[i].from, rows[i].until);
        cr_expect_eq(iv_covered_share(&spans, 0, 1000 * S), rows[i].share, "row %zu", i);
        cr_expect_eq(iv_covered_share(&spans, 1000 * S, 1000 * S), 0, "of no time");
        iv_spans_deinit(&spans);
    }
}

Test(coverage, of_a_rule_lacks_what_it_had_to_forget)
{
    struct world w;
    struct iv_covered covered;
    world_init(&w);
    put(&w, "t", &(struct iv_cover){.stream = IV_TELEMETRY, .reach = 90});
    forget(&w, "R", 10, 20);
    forget(&w, "R", 40, 50);
    forget(&w, "R", 15, 30);
    forget(&w, "R", 15, 30);

    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, TELEMETRY, "R"), "0-10 30-40 50-90");
    cr_expect_str_eq(spans_of(&covered, TELEMETRY, "S"), "0-90");
    cr_expect_eq(covered.rule_loss_count, 2, "what touches is one");
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

Test(coverage, of_topics_that_are_no_longer_read_holds_nothing_back)
{
    struct world w;
    struct iv_covered covered;
    world_init(&w);
    put(&w, "old", &(struct iv_cover){.stream = IV_LEDGER, .reach = 30});
    put(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .reach = 60});
    cr_assert(iv_ok(iv_store_begin(w.store, &w.err)));
    cr_assert(iv_ok(iv_store_covers_away(w.store, IV_STR("l"), IV_STR("t"), &w.err)));
    cr_assert(iv_ok(iv_store_commit(w.store, &w.err)));

    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), "0-60");
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

static void tell(struct world *w, const char *topic, const struct iv_cover *cover)
{
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_tell_cover(w->store, iv_str_of(topic), cover, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

Test(coverage, of_another_process_counts_where_it_has_come_further)
{
    static const struct iv_loss loss = {10, 20, 3, IV_LOSS_SEQUENCE};
    static const struct {
        const char *what;
        struct iv_cover own;
        struct iv_cover told;
        const char *want;
    } rows[] = {
        {"further", {.reach = 40}, {.reach = 60, .losses = &loss, .loss_count = 1}, "0-10 20-60"},
        {"less far", {.reach = 40}, {.reach = 30, .losses = &loss, .loss_count = 1}, "0-40"},
        {"our own words", {.reach = 40}, {.reach = 40}, "0-40"},
        {"as far, and reads it",
         {.reach = 40, .state = IV_COVER_AWAY},
         {.reach = 40, .losses = &loss, .loss_count = 1},
         "0-10 20-40"},
        {"as far, and has left it",
         {.reach = 40},
         {.reach = 40, .state = IV_COVER_AWAY, .losses = &loss, .loss_count = 1},
         "0-40"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct world w;
        struct iv_covered covered;
        world_init(&w);
        put(&w, "l", &rows[i].own);
        tell(&w, "l", &rows[i].told);
        tell(&w, "l", &(struct iv_cover){.stream = IV_LEDGER, .partition = 1, .reach = 90});

        read(&w, &covered);
        cr_expect_str_eq(spans_of(&covered, LEDGER, "R"), rows[i].want, "%s", rows[i].what);
        iv_covered_deinit(&covered);
        world_deinit(&w);
    }
}

Test(coverage, of_a_rule_that_is_told_again_lacks_no_more)
{
    struct world w;
    struct iv_covered covered;
    const struct iv_loss losses[] = {{10, 20, 5, IV_LOSS_EVICTED}, {15, 30, 2, IV_LOSS_EVICTED}};
    world_init(&w);
    put(&w, "t", &(struct iv_cover){.stream = IV_TELEMETRY, .reach = 90});
    cr_assert(iv_ok(iv_store_begin(w.store, &w.err)));
    for (size_t i = 0; i < 4; i++) {
        cr_assert(iv_ok(iv_store_tell_rule_loss(w.store, IV_STR("R"), &losses[i % 2], &w.err)));
    }
    cr_assert(iv_ok(iv_store_commit(w.store, &w.err)));

    read(&w, &covered);
    cr_expect_str_eq(spans_of(&covered, TELEMETRY, "R"), "0-10 30-90");
    cr_expect(covered.rule_loss_count == 1 && covered.rule_losses[0].loss.records == 5);
    iv_covered_deinit(&covered);
    world_deinit(&w);
}

static bool claim(struct world *w, iv_ns now)
{
    bool due = false;
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_claim_cover(w->store, &due, IV_STR("l"), 0, now, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
    return due;
}

Test(coverage, is_told_when_its_state_changes_and_else_every_ten_seconds)
{
    const struct iv_cover read_on = {.stream = IV_LEDGER, .reach = 30};
    const struct iv_cover left = {.stream = IV_LEDGER, .reach = 30, .state = IV_COVER_AWAY};
    struct world w;
    world_init(&w);
    cr_expect(!claim(&w, 0), "there is nothing yet");
    put(&w, "l", &read_on);
    cr_expect(claim(&w, 100 * IV_NS_PER_S));
    put(&w, "l", &read_on);
    cr_expect(!claim(&w, 109 * IV_NS_PER_S));
    cr_expect(claim(&w, 110 * IV_NS_PER_S));
    put(&w, "l", &left);
    cr_expect(claim(&w, 111 * IV_NS_PER_S), "its state has changed");
    cr_expect(!claim(&w, 112 * IV_NS_PER_S));
    cr_expect(claim(&w, 50 * IV_NS_PER_S), "a clock that was put back keeps nobody waiting");
    world_deinit(&w);
}
