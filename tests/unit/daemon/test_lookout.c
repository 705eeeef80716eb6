/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "daemon/lookout.h"
#include "evidence/reader.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct world {
    struct scratch dir;
    struct iv_store *store;
    struct iv_metrics *metrics;
    struct iv_lookout *lookout;
    iv_ns now;
    char path[128];
};

static iv_ns now_of(void *ctx)
{
    return *(iv_ns *)ctx;
}

static void world_init(struct world *w)
{
    struct iv_err err = {.text = ""};
    w->dir = scratch_make();
    w->now = 1000 * IV_NS_PER_S;
    struct iv_str path = scratch_file(&w->dir, "s.db");
    (void)snprintf(w->path, sizeof w->path, "%.*s", (int)path.n, path.p);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_metrics_new(&w->metrics, &err)));
    const struct iv_lookout_options options = {
        .store = w->store, .metrics = w->metrics, .clock = {now_of, now_of, &w->now}};
    cr_assert(iv_ok(iv_lookout_new(&w->lookout, &options, &err)));
}

static void world_deinit(struct world *w)
{
    iv_lookout_free(w->lookout);
    iv_metrics_free(w->metrics);
    iv_store_close(w->store);
    scratch_remove(&w->dir);
}

/* So many seconds, each with its turn. */
static void pass(struct world *w, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        w->now += IV_NS_PER_S;
        iv_lookout_turn(w->lookout);
    }
}

static bool tell(void *ctx, const struct iv_journal_row *row)
{
    char *text = ctx;
    size_t n = strlen(text);
    (void)snprintf(text + n, 1024 - n, "%s%lld %.*s %.*s: %.*s", n == 0 ? "" : "|",
                   (long long)(row->at / IV_NS_PER_S), (int)row->what.n, row->what.p, (int)row->about.n,
                   row->about.p, (int)row->cause.n, row->cause.p);
    return true;
}

static void expect(const struct world *w, const char *want)
{
    char text[1024] = "";
    struct iv_err err = {.text = ""};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_reader_journal(reader, &(struct iv_journal_filter){.limit = 0}, tell, text, &err)));
    cr_expect_str_eq(text, want);
}

static struct iv_series *lag(const struct world *w, const char *topic, const char *partition)
{
    return IV_SERIES(w->metrics, LAG, iv_str_of(topic), iv_str_of(partition));
}

Test(lookout, tells_a_lag_of_a_topic_once_when_it_lasts_and_once_when_it_is_over)
{
    struct world w;
    world_init(&w);
    iv_series_set(lag(&w, "ledger", "0"), 60000);
    iv_series_set(lag(&w, "ledger", "1"), 50000);
    iv_series_set(lag(&w, "telemetry", "0"), 90000);
    pass(&w, 20);
    expect(&w, "");
    pass(&w, 60);
    expect(&w, "1031 lag ledger: 110000 records that wait to be read");
    iv_series_set(lag(&w, "ledger", "0"), 30000);
    pass(&w, 5);
    iv_series_set(lag(&w, "ledger", "1"), 0);
    pass(&w, 5);
    expect(&w, "1031 lag ledger: 110000 records that wait to be read|"
               "1086 lag-over ledger: 30000 records that wait to be read");
    world_deinit(&w);
}

Test(lookout, counts_what_comes_again_and_again_every_ten_minutes)
{
    struct world w;
    world_init(&w);
    struct iv_series *dead = IV_SERIES(w.metrics, DEAD_LETTERS, IV_STR("ledger"), IV_STR("id"));
    iv_series_add(dead, 3);
    for (int i = 0; i < 700; i++) {
        pass(&w, 1);
        iv_series_add(dead, 1);
    }
    expect(&w,
           "1001 dead-letters ledger: 3 malformed records|1601 dead-letters ledger: 600 malformed records");
    world_deinit(&w);
}

Test(lookout, tells_of_a_broker_that_does_not_answer_for_ten_seconds)
{
    struct world w;
    struct iv_consumer_health health = {.reachable = false, .trouble = "connection refused"};
    world_init(&w);
    iv_lookout_input(w.lookout, &health);
    w.now += 9 * IV_NS_PER_S;
    iv_lookout_input(w.lookout, &health);
    pass(&w, 1);
    expect(&w, "");
    for (int i = 0; i < 3; i++) {
        iv_lookout_input(w.lookout, &health);
        pass(&w, 1);
    }
    health.reachable = true;
    iv_lookout_input(w.lookout, &health);
    pass(&w, 1);
    expect(&w, "1010 input-lost : connection refused|1013 input-back : the broker answers again");
    world_deinit(&w);
}

Test(lookout, tells_of_the_pause_file_and_of_a_sink_that_hangs)
{
    struct world w;
    world_init(&w);
    iv_lookout_held(w.lookout, false, IV_STR("/run/pause"));
    iv_lookout_held(w.lookout, true, IV_STR("/run/pause"));
    iv_lookout_held(w.lookout, true, IV_STR("/run/pause"));
    iv_series_set(IV_SERIES(w.metrics, ALERT_OLDEST, IV_STR("page")), 121);
    pass(&w, 2);
    iv_series_set(IV_SERIES(w.metrics, ALERT_OLDEST, IV_STR("page")), 0);
    iv_lookout_held(w.lookout, false, IV_STR("/run/pause"));
    pass(&w, 2);
    expect(&w,
           "1000 paused-by-file /run/pause: the file is there, or cannot be looked for: no action is called|"
           "1001 sink-failing page: 121 seconds that the oldest notice has waited|"
           "1002 resumed-by-file /run/pause: the file is gone|"
           "1003 sink-works page: 0 seconds that the oldest notice has waited");
    cr_expect_eq(iv_metrics_sum(w.metrics, IV_METRIC_JOURNAL), 4);
    world_deinit(&w);
}

Test(lookout, writes_what_a_busy_store_did_not_take_when_it_does)
{
    struct world w;
    world_init(&w);
    IV_AUTO(iv_store_closep) struct iv_store *other = NULL;
    cr_assert(iv_ok(iv_store_open(&other, iv_str_of(w.path), NULL)));
    cr_assert(iv_ok(iv_store_begin(other, NULL)));
    for (int i = 0; i < 100; i++) {
        iv_lookout_note(w.lookout, IV_JOURNAL_GAP, IV_STR("ledger"), IV_STR("gone"));
    }
    pass(&w, 1);
    iv_store_rollback(other);
    expect(&w, "");
    pass(&w, 1);
    cr_expect_eq(iv_metrics_sum(w.metrics, IV_METRIC_JOURNAL), 64);
    world_deinit(&w);
}
