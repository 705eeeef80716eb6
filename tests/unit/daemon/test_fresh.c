/* SPDX-License-Identifier: Apache-2.0 */
/* How the observer comes to know that the streams are not fresh: each reason, from what brokers and readers
 * tell. */
#include "base/guard.h"
#include "daemon/fresh.h"

#include <criterion/criterion.h>
#include <string.h>

#define S IV_NS_PER_S
#define BEGIN (1000 * S)

struct world {
    iv_ns now;
    struct iv_fresh_watch watch;
    struct iv_marks *marks;
    int64_t read; /* by the detector */
};

static iv_ns tell_time(void *ctx)
{
    return ((struct world *)ctx)->now;
}

static void world_begin(struct world *w)
{
    *w = (struct world){.now = BEGIN, .read = 10};
    struct iv_clock clock = {tell_time, tell_time, w};
    iv_fresh_init(&w->watch, clock, true);
    cr_assert(iv_ok(iv_marks_new(&w->marks, 1, 100, NULL)));
}

static void world_deinit(struct world *w)
{
    iv_fresh_deinit(&w->watch);
    iv_marks_free(w->marks);
}

static size_t positions(void *ctx, struct iv_cursor *out, size_t room)
{
    const struct world *w = ctx;
    cr_assert(room == 1);
    out[0] = (struct iv_cursor){.stream = IV_TELEMETRY, .offset = w->read};
    return 1;
}

/* A second on, the broker tells the end of the only partition, and up to where it is committed. */
static void hear(struct world *w, int64_t end, int64_t stable)
{
    const struct iv_cursor ends = {.stream = IV_TELEMETRY, .offset = end};
    const struct iv_cursor committed = {.stream = IV_TELEMETRY, .offset = stable};
    w->now += S;
    (void)iv_marks_add(w->marks, w->now, w->now, &ends);
    cr_assert(iv_ok(iv_fresh_ends(&w->watch, &ends, &committed, 1, NULL)));
}

/* The broker has been there for long enough. */
static void world_init(struct world *w)
{
    world_begin(w);
    for (int i = 0; i <= 16; i++) {
        hear(w, 10, 10);
    }
}

static const char *why(struct world *w)
{
    const char *text = "";
    iv_fresh_tell(&w->watch, w->marks, w->now, positions, w);
    return iv_fresh_ask(&w->watch, &text) ? "" : text;
}

/* Before the first word nobody knows how long it was away: the whole place may have just come up again. */
Test(fresh, is_what_was_just_told_and_read_fifteen_seconds_after_the_first_word)
{
    IV_AUTO(world_deinit) struct world w;
    world_begin(&w);
    cr_expect_str_eq(why(&w), "the broker does not answer", "before its first word");

    for (int i = 0; i <= 15; i++) {
        hear(&w, 10, 10);
        cr_expect_str_eq(why(&w), "the broker was away, and producers may have something to tell from before",
                         "after %d s", i);
    }

    hear(&w, 10, 10);
    cr_expect_str_eq(why(&w), "");
}

Test(fresh, ends_five_seconds_after_the_brokers_last_word_and_comes_fifteen_after_its_return)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    hear(&w, 10, 10);
    w.now += 5 * S;
    cr_expect_str_eq(why(&w), "");
    w.now += 1;
    cr_expect_str_eq(why(&w), "the broker does not answer");
    hear(&w, 10, -1);
    cr_expect_str_eq(why(&w), "the broker does not answer",
                     "a partition that is not told is none that answers");

    hear(&w, 10, 10);
    for (int i = 0; i <= 15; i++) {
        cr_expect_str_eq(why(&w), "the broker was away, and producers may have something to tell from before",
                         "%d s later", i);
        hear(&w, 10, 10);
    }

    cr_expect_str_eq(why(&w), "");
}

Test(fresh, ends_when_the_detector_has_not_read_what_is_older_than_thirty_seconds)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    hear(&w, 10, 10);
    hear(&w, 20, 20);
    for (int i = 0; i < 29; i++) { /* what was there at the first is read, what came then is not */
        cr_expect_str_eq(why(&w), "", "%d s later", i);
        hear(&w, 20, 20);
    }
    cr_expect_str_eq(why(&w), "");
    hear(&w, 20, 20);

    cr_expect_str_eq(why(&w), "the streams are not read as far as they go");

    w.read = 20;
    cr_expect_str_eq(why(&w), "");
}

Test(fresh, ends_when_a_transaction_holds_records_back_for_more_than_ten_seconds)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    w.read = 50;
    hear(&w, 10, 10);
    for (int i = 0; i <= 10; i++) {
        hear(&w, 20 + i, 10);
        cr_expect_str_eq(why(&w), "", "%d s later", i);
    }
    hear(&w, 40, 10);
    cr_expect_str_eq(why(&w), "an open transaction holds records back");

    hear(&w, 41, 30);

    cr_expect_str_eq(why(&w), "", "it came on");
}

Test(fresh, ends_for_a_minute_when_the_clock_was_set)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    hear(&w, 10, 10);
    iv_fresh_clock_set(&w.watch);
    for (int i = 0; i <= 60; i++) {
        cr_expect_str_eq(why(&w), "the clock was set", "%d s later", i);
        hear(&w, 10, 10);
    }

    cr_expect_str_eq(why(&w), "");
}

Test(fresh, begins_anew_where_there_are_other_partitions)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    hear(&w, 10, 10);
    const struct iv_cursor more[] = {{.stream = IV_TELEMETRY, .offset = 10},
                                     {.stream = IV_TELEMETRY, .partition = 1, .offset = 0}};
    w.now += S;

    cr_assert(iv_ok(iv_fresh_ends(&w.watch, more, more, IV_COUNT(more), NULL)));

    const char *text = "";
    w.watch.found.detects = false;
    iv_fresh_tell(&w.watch, w.marks, w.now, NULL, NULL);
    cr_expect(iv_fresh_ask(&w.watch, &text), "%s", text);
}

static size_t no_positions(void *ctx, struct iv_cursor *out, size_t room)
{
    (void)out;
    (void)room;
    return *(const size_t *)ctx;
}

/* Those that were never told where they begin have read nothing; those that were told to stand by need not.
 */
Test(fresh, does_not_wait_for_a_detector_that_has_no_partition)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    const char *text = "";
    size_t count = 0;
    iv_fresh_tell(&w.watch, w.marks, w.now, no_positions, &count);
    cr_expect(!iv_fresh_ask(&w.watch, &text));
    cr_expect_str_eq(text, "the streams are not read as far as they go");

    count = IV_FRESH_STANDBY;
    iv_fresh_tell(&w.watch, w.marks, w.now, no_positions, &count);
    cr_expect(iv_fresh_ask(&w.watch, &text));
}

Test(fresh, hears_the_broker_or_does_not)
{
    IV_AUTO(world_deinit) struct world w;
    world_begin(&w);
    cr_expect(!iv_fresh_hears(&w.watch), "not yet");
    hear(&w, 10, 10);
    (void)why(&w);
    cr_expect(iv_fresh_hears(&w.watch));
    w.now += 6 * S;
    cr_expect(!iv_fresh_hears(&w.watch));
}
