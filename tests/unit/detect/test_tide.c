/* SPDX-License-Identifier: Apache-2.0 */
/* What lets time pass where nothing comes. Against the embedded broker. */
#include "detect/tide.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/embedded.h"
#include "stream/producer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdatomic.h>

#define LONG_ENOUGH (120 * IV_NS_PER_S)

struct scene {
    struct iv_embedded *broker;
    struct iv_property servers;
    struct iv_tide *tide;
    struct iv_clock clock;
    iv_ns late;
};

/* What was told last, of telemetry's first partition; -1: nothing. */
static atomic_long told_lag = -1;

static void note_lag(void *ctx, enum iv_stream stream, int32_t partition, int64_t records)
{
    (void)ctx;
    cr_expect(stream == IV_TELEMETRY && partition == 0, "a partition that has no reader is not told");
    atomic_store(&told_lag, records);
}

static struct scene open_scene(void)
{
    const struct iv_embedded_topic names[] = {{"ledger", 2}, {"telemetry", 2}};
    struct scene s = {.clock = iv_clock_system()};
    struct iv_err err;
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    cr_assert(iv_ok(iv_embedded_open(&s.broker, 1, names, IV_COUNT(names), &err)), "%s", err.text);
    s.servers = (struct iv_property){IV_STR("bootstrap.servers"), iv_str_of(iv_embedded_servers(s.broker))};
    const struct iv_tide_options options = {.properties = &s.servers,
                                            .property_count = 1,
                                            .topics = {IV_STR("ledger"), IV_STR("telemetry")},
                                            .lag = note_lag};
    cr_assert(iv_ok(iv_tide_start(&s.tide, &options, &err)), "%s", err.text);
    s.late = iv_monotonic(&s.clock) + LONG_ENOUGH;
    return s;
}

static void close_scene(struct scene *s)
{
    iv_tide_stop(s->tide);
    iv_embedded_close(s->broker);
}

/* A mark that was asked for at this moment or later. */
static struct iv_tide_mark mark_since(struct scene *s, enum iv_stream stream, int32_t partition, iv_ns since)
{
    struct iv_tide_mark mark = {.asked = -1};
    while (!iv_tide_look(s->tide, &mark, stream, partition) || mark.asked < since) {
        cr_assert(lt(i64, iv_monotonic(&s->clock), s->late), "no mark came");
        iv_pause(IV_NS_PER_MS);
    }
    return mark;
}

static void produce(const struct scene *s, int32_t partition, int count)
{
    const struct iv_producer_options options = {.properties = &s->servers, .property_count = 1};
    struct iv_producer *p = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_open(&p, &options, &err)), "%s", err.text);
    for (int i = 0; i < count; i++) {
        const struct iv_message message = {
            .topic = IV_STR("telemetry"), .value = IV_STR("{}"), .partition = &partition};
        cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    iv_producer_close(p);
}

Test(tide, what_was_written_before_the_question_lies_before_the_end)
{
    struct scene s = open_scene();
    produce(&s, 1, 5);
    iv_ns written = iv_monotonic(&s.clock);
    iv_ns wall = iv_wall(&s.clock);

    struct iv_tide_mark full = mark_since(&s, IV_TELEMETRY, 1, written);
    struct iv_tide_mark empty = mark_since(&s, IV_LEDGER, 0, written);

    cr_expect(eq(i64, full.end, 5));
    cr_expect(ge(i64, full.wall, wall), "the wall's time is that of the question");
    cr_expect(eq(i64, empty.end, 0));
    close_scene(&s);
}

Test(tide, later_marks_follow_what_is_written)
{
    struct scene s = open_scene();
    (void)mark_since(&s, IV_TELEMETRY, 0, 0);

    produce(&s, 0, 3);
    struct iv_tide_mark mark = mark_since(&s, IV_TELEMETRY, 0, iv_monotonic(&s.clock));

    cr_expect(eq(i64, mark.end, 3));
    close_scene(&s);
}

Test(tide, nothing_is_confirmed_while_the_broker_is_away)
{
    struct scene s = open_scene();
    struct iv_err err;
    (void)mark_since(&s, IV_TELEMETRY, 0, 0);

    cr_assert(iv_ok(iv_embedded_set_down(s.broker, true, &err)), "%s", err.text);
    iv_ns down = iv_monotonic(&s.clock);
    struct iv_tide_mark mark = {.asked = -1};
    while (iv_monotonic(&s.clock) < down + 500 * IV_NS_PER_MS) {
        cr_expect(iv_tide_look(s.tide, &mark, IV_TELEMETRY, 0), "the last one stands");
        cr_expect(le(i64, mark.asked, down), "none is newer than the broker's last word");
        iv_pause(10 * IV_NS_PER_MS);
    }
    cr_assert(iv_ok(iv_embedded_set_down(s.broker, false, &err)), "%s", err.text);

    (void)mark_since(&s, IV_TELEMETRY, 0, iv_monotonic(&s.clock));
    close_scene(&s);
}

static void await_lag(struct scene *s, long records)
{
    while (atomic_load(&told_lag) != records) {
        cr_assert(lt(i64, iv_monotonic(&s->clock), s->late), "a lag of %ld was never told", records);
        iv_pause(IV_NS_PER_MS);
    }
}

Test(tide, the_lag_of_a_reader_that_says_nothing_is_told_in_its_place)
{
    struct scene s = open_scene();
    produce(&s, 0, 5);

    iv_tide_follow(s.tide, IV_TELEMETRY, 0, 3);
    await_lag(&s, 2);
    produce(&s, 0, 4);
    await_lag(&s, 6);
    iv_tide_follow(s.tide, IV_TELEMETRY, 0, 9);
    await_lag(&s, 0);
    iv_tide_follow(s.tide, IV_TELEMETRY, 0, -1);
    close_scene(&s);
}

Test(tide, what_nobody_reads_any_more_has_no_lag)
{
    struct scene s = open_scene();
    produce(&s, 0, 5);
    iv_tide_follow(s.tide, IV_TELEMETRY, 0, 3);
    iv_tide_follow(s.tide, IV_TELEMETRY, 0, -1);
    iv_ns begun = iv_monotonic(&s.clock);

    while (iv_monotonic(&s.clock) < begun + 3 * IV_NS_PER_S) {
        (void)mark_since(&s, IV_LEDGER, 1, iv_monotonic(&s.clock));
    }

    cr_expect(eq(long, atomic_load(&told_lag), -1L));
    close_scene(&s);
}
