/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "evidence/coverage.h"
#include "evidence/population.h"
#include "evidence/told.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HOUR IV_POPULATION_HOUR
#define DAY (24 * HOUR)
#define NOW (1000000 * HOUR) /* beyond all that is put, unless a test says otherwise */

struct world {
    struct scratch scratch;
    char path[512];
    struct iv_store *store;
    struct iv_buf told;
    struct iv_err err;
};

static void world_init(struct world *w)
{
    w->scratch = scratch_make();
    (void)snprintf(w->path, sizeof w->path, "%s/store.db", w->scratch.path);
    iv_buf_init(&w->told, 1u << 16);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &w->err)), "%s", w->err.text);
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    iv_buf_deinit(&w->told);
    scratch_remove(&w->scratch);
}

/* Since the beginning, unless the count is 0: then since the hour. */
static void put(struct world *w, int32_t partition, const char *rule, int64_t hour, int64_t count, bool ours)
{
    const struct iv_population_row row = {iv_str_of(rule), count == 0 ? hour * HOUR : IV_NS_MIN, hour * HOUR,
                                          count};
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(
        iv_ok(iv_store_put_population(w->store, IV_STR("ledger"), partition, &row, 1, NOW, ours, &w->err)),
        "%s", w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void begin(struct world *w, int32_t partition, const char *rule)
{
    const struct iv_population_row row = {.rule = iv_str_of(rule), .since = IV_NS_MIN};
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(
        iv_ok(iv_store_put_population(w->store, IV_STR("ledger"), partition, &row, 1, NOW, true, &w->err)));
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void cover(struct world *w, iv_ns first, iv_ns reach)
{
    const struct iv_cover cover = {.stream = IV_LEDGER, .first = first, .reach = reach};
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_put_cover(w->store, IV_STR("ledger"), &cover, &w->err)));
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static struct iv_population_known known(struct world *w, const char *rule, iv_ns from, iv_ns until)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_covered covered;
    struct iv_populations populations;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_covered_read(&covered, reader, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_populations_read(&populations, reader, &covered, from, until, &w->err)), "%s",
              w->err.text);
    struct iv_population_known out = iv_population_of(&populations, iv_str_of(rule));
    iv_populations_deinit(&populations);
    iv_covered_deinit(&covered);
    return out;
}

Test(population, adds_up_over_cells_and_hours)
{
    struct world w;
    world_init(&w);
    for (int32_t cell = 0; cell < 2; cell++) {
        begin(&w, cell, "AA-1");
        put(&w, cell, "AA-1", 5, 10, true);
        put(&w, cell, "AA-1", 6, 3, true);
    }
    put(&w, 1, "BB-1", 6, 3, true);

    struct iv_population_known all = known(&w, "AA-1", 0, DAY);
    struct iv_population_known one = known(&w, "AA-1", 6 * HOUR, 7 * HOUR);
    cr_expect(all.kept && all.judged == 26 && all.within == 26);
    cr_expect(one.kept && one.judged == 6 && one.within == 6);
    world_deinit(&w);
}

Test(population, that_is_told_again_changes_nothing)
{
    struct world w;
    world_init(&w);
    put(&w, 0, "AA-1", 5, 10, true);
    put(&w, 0, "AA-1", 5, 7, true); /* a replay, on its way to where the run before was */
    cr_expect_eq(known(&w, "AA-1", 0, DAY).judged, 0, "nobody has said since when it is counted");
    begin(&w, 0, "AA-1");
    cr_expect_eq(known(&w, "AA-1", 0, DAY).judged, 10);
    put(&w, 0, "AA-1", 5, 11, true);
    cr_expect_eq(known(&w, "AA-1", 0, DAY).judged, 11);
    world_deinit(&w);
}

Test(population, says_whether_anything_was_judged_only_where_it_is_known)
{
    static const struct {
        iv_ns from, until;
        uint64_t judged, within;
        bool says;
    } rows[] = {
        {10 * HOUR, 12 * HOUR, 8, 8, true},             /* whole hours */
        {10 * HOUR, 11 * HOUR, 0, 0, true},             /* nothing was judged */
        {10 * HOUR, 12 * HOUR - 1, 8, 0, false},        /* the end cuts the only hour */
        {11 * HOUR + 1, 13 * HOUR, 12, 12, true},       /* nothing was before the first event */
        {0, 11 * HOUR + 9, 8, 0, false},                /* likewise, from before the first event */
        {11 * HOUR + 30, 12 * HOUR + 30, 12, 0, false}, /* both ends cut */
        {11 * HOUR + 20, 12 * HOUR + 40, 12, 12, true}, /* all that was read */
        {9 * HOUR, 13 * HOUR, 12, 12, true},            /* and more */
    };
    struct world w;
    world_init(&w);
    begin(&w, 0, "AA-1");
    cover(&w, 11 * HOUR + 20, 12 * HOUR + 40);
    put(&w, 0, "AA-1", 11, 8, true);
    put(&w, 0, "AA-1", 12, 4, true);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_population_known k = known(&w, "AA-1", rows[i].from, rows[i].until);
        cr_expect(k.kept && k.judged == rows[i].judged && k.within == rows[i].within &&
                      iv_population_says(&k) == rows[i].says,
                  "row %zu: %llu judged, %llu within", i, (unsigned long long)k.judged,
                  (unsigned long long)k.within);
    }
    world_deinit(&w);
}

Test(population, of_a_time_before_it_was_counted_says_nothing)
{
    struct world w;
    world_init(&w);
    put(&w, 0, "AA-1", 30, 0, true);
    put(&w, 0, "AA-1", 31, 5, true);
    cr_expect(!known(&w, "AA-1", 29 * HOUR, DAY * 2).kept);
    cr_expect(known(&w, "AA-1", 30 * HOUR, DAY * 2).kept);
    cr_expect(!known(&w, "CC-1", 30 * HOUR, DAY * 2).kept, "a rule that nobody counted");
    begin(&w, 0, "AA-1");
    cr_expect(known(&w, "AA-1", 0, DAY * 2).kept, "a run that has read all of it again");
    put(&w, 1, "AA-1", 40, 0, true);
    cr_expect(!known(&w, "AA-1", 0, DAY * 2).kept, "another cell has not");
    world_deinit(&w);
}

Test(population, of_the_oldest_hours_is_forgotten_and_that_is_known)
{
    struct world w;
    struct iv_population_row *rows = calloc(IV_POPULATION_KEPT + 2, sizeof *rows);
    world_init(&w);
    begin(&w, 0, "AA-1");
    for (int64_t i = 0; i < IV_POPULATION_KEPT + 2; i++) {
        rows[i] = (struct iv_population_row){IV_STR("AA-1"), IV_NS_MIN, i * HOUR, 1};
    }
    for (int again = 0; again < 2; again++) {
        cr_assert(iv_ok(iv_store_begin(w.store, &w.err)));
        cr_assert(iv_ok(iv_store_put_population(w.store, IV_STR("ledger"), 0, rows, IV_POPULATION_KEPT + 2,
                                                NOW, true, &w.err)));
        cr_assert(iv_ok(iv_store_commit(w.store, &w.err)));
        cr_expect_eq(known(&w, "AA-1", 0, IV_NS_MAX).judged, IV_POPULATION_KEPT);
        cr_expect(!known(&w, "AA-1", HOUR, DAY).kept);
        cr_expect(known(&w, "AA-1", 2 * HOUR, DAY).kept);
    }
    free(rows);
    world_deinit(&w);
}

Test(population, of_hours_that_are_to_come_pushes_nothing_out)
{
    struct world w;
    const int64_t at = 10;
    const iv_ns now = at * HOUR + 5;
    struct iv_population_row *rows = calloc(IV_POPULATION_KEPT + 2, sizeof *rows);
    world_init(&w);
    begin(&w, 0, "AA-1");
    put(&w, 0, "AA-1", at, 7, true);
    for (int64_t i = 0; i < IV_POPULATION_KEPT + 2; i++) {
        rows[i] = (struct iv_population_row){IV_STR("AA-1"), IV_NS_MIN, (at + 1 + i) * HOUR, 1};
    }
    cr_assert(iv_ok(iv_store_begin(w.store, &w.err)));
    cr_assert(iv_ok(iv_store_put_population(w.store, IV_STR("ledger"), 0, rows, IV_POPULATION_KEPT + 2, now,
                                            true, &w.err)));
    cr_assert(iv_ok(iv_store_commit(w.store, &w.err)));
    cr_expect_eq(known(&w, "AA-1", 0, IV_NS_MAX).judged, 7, "only what has come counts");
    cr_expect(known(&w, "AA-1", 0, DAY).kept);

    cr_assert(iv_ok(iv_store_begin(w.store, &w.err)));
    cr_assert(iv_ok(iv_store_put_population(w.store, IV_STR("ledger"), 0, rows, 2,
                                            rows[0].hour - IV_POPULATION_AHEAD, true, &w.err)));
    cr_assert(iv_ok(iv_store_commit(w.store, &w.err)));
    cr_expect_eq(known(&w, "AA-1", 0, IV_NS_MAX).judged, 8, "clocks may be a little apart");
    free(rows);
    world_deinit(&w);
}

/* Takes what one store tells into another. */
static iv_rc pass_on(void *ctx, struct iv_str key, struct iv_str text, struct iv_err *err)
{
    struct world *to = ctx;
    struct iv_told_coverage told;
    struct iv_catalogue *catalogue = NULL;
    struct iv_decoder *decoder = NULL;
    struct iv_decode_limits limits = IV_TOLD_LIMITS;
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_catalogue_new(&catalogue, err)) && iv_ok(iv_catalogue_freeze(catalogue, err)));
    cr_assert(iv_ok(iv_decoder_new(&decoder, catalogue, &limits, (struct iv_hash_key){0, 0}, err)));
    cr_assert(iv_ok(iv_told_coverage_read(&told, decoder, &arena, text, err)), "%s", err->text);
    cr_assert(iv_ok(iv_store_begin(to->store, err)));
    cr_assert(iv_ok(iv_store_put_population(to->store, told.topic, told.cover.partition, told.populations,
                                            told.population_count, NOW, false, err)),
              "%s", err->text);
    cr_assert(iv_ok(iv_store_commit(to->store, err)));
    iv_buf_printf(&to->told, IV_STR_FMT "\n", IV_STR_ARG(key));
    iv_decoder_free(decoder);
    iv_catalogue_free(catalogue);
    iv_arena_deinit(&arena);
    return IV_OK;
}

static void expect_told(struct world *from, struct world *to, iv_ns now, bool all, const char *keys)
{
    iv_buf_clear(&to->told);
    cr_assert(iv_ok(iv_store_begin(from->store, &from->err)));
    cr_assert(iv_ok(iv_store_tell_populations(from->store, now, all, pass_on, to, &from->err)), "%s",
              from->err.text);
    cr_assert(iv_ok(iv_store_commit(from->store, &from->err)));
    iv_buf_char(&to->told, '\0');
    cr_expect_str_eq(iv_buf_slice(&to->told).p, keys);
}

Test(population, is_told_to_others_by_the_hour_and_seldom)
{
    struct world a;
    struct world b;
    world_init(&a);
    world_init(&b);
    begin(&a, 3, "AA-1");
    begin(&a, 3, "BB-1");
    put(&a, 3, "AA-1", 0, 5, true);
    put(&a, 3, "BB-1", 1, 6, true);
    put(&a, 4, "BB-1", 1, 7, false); /* somebody else's */

    expect_told(&a, &b, 100 * IV_NS_PER_S, false,
                "population/ledger/3\npopulation/ledger/3/0\npopulation/ledger/3/3600000000000\n");
    cr_expect_eq(known(&b, "AA-1", 0, DAY).judged, 5);
    cr_expect_eq(known(&b, "BB-1", 0, DAY).judged, 6);
    cr_expect(known(&b, "BB-1", 0, DAY).kept);

    put(&a, 3, "BB-1", 1, 9, true);
    expect_told(&a, &b, 101 * IV_NS_PER_S, false, "");
    expect_told(&a, &b, 110 * IV_NS_PER_S, false, "population/ledger/3/3600000000000\n");
    cr_expect_eq(known(&b, "BB-1", 0, DAY).judged, 9);
    put(&a, 3, "BB-1", 1, 10, true);
    expect_told(&a, &b, 110 * IV_NS_PER_S, true, "population/ledger/3/3600000000000\n");
    expect_told(&b, &a, 500 * IV_NS_PER_S, true, "");
    world_deinit(&a);
    world_deinit(&b);
}

static iv_rc count_hour(void *ctx, struct iv_str key, struct iv_str text, struct iv_err *err)
{
    (void)key;
    (void)text;
    (void)err;
    ++*(int *)ctx;
    return IV_OK;
}

Test(population, of_many_hours_is_told_in_pieces_whatever_is_asked_for)
{
    struct world w;
    struct iv_population_row rows[3000];
    int told[4] = {0};
    world_init(&w);
    for (int64_t i = 0; i < 3000; i++) {
        rows[i] = (struct iv_population_row){IV_STR("AA-1"), IV_NS_MIN, i * HOUR, 1};
    }
    cr_assert(iv_ok(iv_store_begin(w.store, &w.err)));
    cr_assert(iv_ok(iv_store_put_population(w.store, IV_STR("ledger"), 0, rows, 3000, NOW, true, &w.err)));
    for (int i = 0; i < 4; i++) {
        cr_assert(iv_ok(iv_store_tell_populations(w.store, IV_NS_PER_S, true, count_hour, &told[i], &w.err)));
    }
    cr_assert(iv_ok(iv_store_commit(w.store, &w.err)));

    cr_expect(told[0] > 0 && told[0] <= 1100, "%d", told[0]);
    cr_expect(told[0] + told[1] + told[2] == 3000 && told[3] == 0, "nothing is lost by it");
    world_deinit(&w);
}

Test(population, that_is_told_wrong_is_refused_with_the_place)
{
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"{\"topic\":\"l\",\"partition\":0,\"populations\":3}", "populations: must be a list"},
        {"{\"topic\":\"l\",\"partition\":0,\"hour\":\"2026-01-01T00:30:00Z\",\"populations\":[]}",
         "hour: is not the beginning of one"},
        {"{\"topic\":\"l\",\"partition\":0,\"populations\":[{\"rule\":\"A\",\"since\":\"2026-01-01T00:00:"
         "00Z\","
         "\"count\":3}]}",
         "populations: a count needs an hour"},
    };
    struct iv_err err;
    struct iv_catalogue *catalogue = NULL;
    struct iv_decoder *decoder = NULL;
    struct iv_decode_limits limits = IV_TOLD_LIMITS;
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_catalogue_new(&catalogue, &err)) && iv_ok(iv_catalogue_freeze(catalogue, &err)));
    cr_assert(iv_ok(iv_decoder_new(&decoder, catalogue, &limits, (struct iv_hash_key){0, 0}, &err)));
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_told_coverage told;
        struct iv_rc_s rc = iv_told_coverage_read(&told, decoder, &arena, iv_str_of(rows[i].text), &err);
        cr_expect(rc.code == IV_E_MALFORMED, "row %zu", i);
        cr_expect_str_eq(err.text, rows[i].why);
    }
    iv_decoder_free(decoder);
    iv_catalogue_free(catalogue);
    iv_arena_deinit(&arena);
}
