/* SPDX-License-Identifier: Apache-2.0 */
/* From where to where the streams are read on behalf of what is to be proven. On the embedded broker, by a
 * clock of the test's own. */
#include "base/guard.h"
#include "base/log.h"
#include "daemon/reading.h"
#include "stream/embedded.h"
#include "stream/producer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S IV_NS_PER_S
#define LONG_ENOUGH (60 * S)
#define SEEN_MAX 64

struct world {
    struct iv_embedded *broker;
    struct iv_producer *producer;
    struct iv_property servers;
    struct iv_reading *reading;
    iv_ns now;  /* the wall clock */
    iv_ns late; /* by the system's, when the test has waited in vain */
    int sent;
    size_t gaps;
    int ahead[SEEN_MAX]; /* what the one that goes ahead has read, in its order */
    size_t ahead_count;
    int back[SEEN_MAX];
    size_t back_count;
};

static iv_ns tell_time(void *ctx)
{
    return ((struct world *)ctx)->now;
}

static void on_gap(void *ctx, const struct iv_cursor *at, bool back)
{
    (void)at;
    (void)back;
    ((struct world *)ctx)->gaps++;
}

static void world_init(struct world *w)
{
    const struct iv_embedded_topic topics[] = {{"ledger", 1}, {"telemetry", 2}};
    struct iv_clock clock = iv_clock_system();
    struct iv_err err = {.text = ""};
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    *w = (struct world){.now = 100 * S, .late = iv_monotonic(&clock) + LONG_ENOUGH};
    cr_assert(iv_ok(iv_embedded_open(&w->broker, 1, topics, IV_COUNT(topics), &err)), "%s", err.text);
    w->servers = (struct iv_property){IV_STR("bootstrap.servers"), iv_str_of(iv_embedded_servers(w->broker))};
    struct iv_producer_options producer = {.properties = &w->servers, .property_count = 1};
    cr_assert(iv_ok(iv_producer_open(&w->producer, &producer, &err)), "%s", err.text);
    struct iv_reading_options options = {.properties = &w->servers,
                                         .property_count = 1,
                                         .topics = {IV_STR("ledger"), IV_STR("telemetry")},
                                         .now = tell_time,
                                         .gap = on_gap,
                                         .ctx = w};
    cr_assert(iv_ok(iv_reading_open(&w->reading, &options, &err)), "%s", err.text);
}

static void world_deinit(struct world *w)
{
    iv_reading_close(w->reading);
    iv_producer_close(w->producer);
    iv_embedded_close(w->broker);
}

static void be_patient(const struct world *w)
{
    struct iv_clock clock = iv_clock_system();
    cr_assert(iv_monotonic(&clock) < w->late, "waited in vain");
}

/* So many more records, numbered from 0 on, of one tenant: in one partition of the topic. */
static void send(struct world *w, const char *topic, int count)
{
    struct iv_err err = {.text = ""};
    for (int i = 0; i < count; i++) {
        char text[16];
        struct iv_message message = {.topic = iv_str_of(topic), .key = IV_STR("tenant")};
        message.value = (struct iv_str){text, (size_t)snprintf(text, sizeof text, "%d", w->sent++)};
        cr_assert(iv_ok(iv_producer_send(w->producer, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(w->producer, LONG_ENOUGH, &err)), "%s", err.text);
}

/* A hundred seconds on, the broker tells where its partitions end. */
static void ask(struct world *w, bool recount)
{
    bool anew = false;
    w->now += 100 * S;
    struct iv_err err = {.text = ""};
    while (!iv_ok(iv_reading_ask(w->reading, recount, &anew, &err))) {
        be_patient(w);
    }
}

static void poll_once(struct world *w)
{
    struct iv_batch batch;
    struct iv_err err = {.text = ""};
    bool back = false;
    bool moved = false;
    be_patient(w);
    cr_assert(iv_ok(iv_reading_poll(w->reading, &batch, &back, &moved, 20 * IV_NS_PER_MS, &err)), "%s",
              err.text);
    for (size_t i = 0; i < batch.count; i++) {
        int number = (int)strtol(batch.records[i].bytes.p, NULL, 10);
        size_t *count = back ? &w->back_count : &w->ahead_count;
        cr_assert(*count < SEEN_MAX);
        (back ? w->back : w->ahead)[(*count)++] = number;
    }
}

static bool are_from(const int *numbers, size_t count, int first, size_t wanted)
{
    bool right = count == wanted;
    for (size_t i = 0; i < count && right; i++) {
        right = numbers[i] == first + (int)i;
    }
    return right;
}

static const bool telemetry[IV_STREAMS] = {[IV_TELEMETRY] = true};
static const bool ledger[IV_STREAMS] = {[IV_LEDGER] = true};

/* Ten of the telemetry before 200 s, ten more before 300 s, and reading began at 300 s. */
static void begin(struct world *w)
{
    bool cut[IV_STREAMS];
    struct iv_err err = {.text = ""};
    send(w, "telemetry", 10);
    ask(w, true);
    send(w, "telemetry", 10);
    ask(w, true);
    cr_assert(iv_ok(iv_reading_ahead(w->reading, cut, 300 * S, telemetry, &err)), "%s", err.text);
    cr_assert(cut[IV_TELEMETRY] == false);
    send(w, "telemetry", 5);
    ask(w, true);
    while (iv_reading_reached(w->reading, IV_TELEMETRY) < 400 * S) {
        poll_once(w);
    }
    cr_assert(are_from(w->ahead, w->ahead_count, 20, 5), "%zu were read", w->ahead_count);
}

Test(reading, goes_ahead_from_where_it_is_wanted_and_never_back)
{
    IV_AUTO(world_deinit) struct world w;
    bool cut[IV_STREAMS];
    struct iv_err err = {.text = ""};
    world_init(&w);
    begin(&w);

    cr_assert(iv_ok(iv_reading_back(w.reading, cut, 200 * S, telemetry, &err)), "%s", err.text);
    send(&w, "telemetry", 5);
    bool over = false;
    while (!over || w.ahead_count < 10) {
        poll_once(&w);
        over = over || iv_reading_back_is_over(w.reading);
    }

    cr_expect(w.back_count >= 15 && are_from(w.back, 15, 10, 15),
              "what lies before, up to the first one's place");
    cr_expect(are_from(w.ahead, w.ahead_count, 20, 10), "what is new, meanwhile, and nothing again");
    bool again = iv_reading_back_is_over(w.reading);
    cr_expect(again == false && iv_reading_is_back(w.reading) == false);
    cr_expect(w.gaps == 0);
}

/* The embedded broker answers "none" whatever it is asked for by time. */
Test(reading, takes_no_for_an_answer_only_of_a_broker_that_can_look_by_time)
{
    IV_AUTO(world_deinit) struct world w;
    bool cut[IV_STREAMS];
    struct iv_err err = {.text = ""};
    world_init(&w);
    send(&w, "telemetry", 10);
    ask(&w, true);
    cr_assert(iv_ok(iv_reading_ahead(w.reading, cut, 100 * S, telemetry, &err)), "%s", err.text);
    send(&w, "telemetry", 5);
    ask(&w, true);

    while (iv_reading_reached(w.reading, IV_TELEMETRY) < 300 * S) {
        poll_once(&w);
    }

    cr_expect(are_from(w.ahead, w.ahead_count, 0, 15), "%zu were read: all that is left", w.ahead_count);
    cr_expect(cut[IV_TELEMETRY] == false);
}

Test(reading, of_what_lies_before_is_over_at_once_where_nothing_does)
{
    IV_AUTO(world_deinit) struct world w;
    bool cut[IV_STREAMS];
    world_init(&w);
    begin(&w);

    cr_assert(iv_ok(iv_reading_back(w.reading, cut, 400 * S, telemetry, NULL)));

    cr_expect(iv_reading_is_back(w.reading) && iv_reading_back_is_over(w.reading));
    cr_expect(w.back_count == 0);
}

Test(reading, of_another_stream_leaves_the_one_that_is_read_in_its_place)
{
    IV_AUTO(world_deinit) struct world w;
    bool cut[IV_STREAMS];
    struct iv_err err = {.text = ""};
    world_init(&w);
    begin(&w);
    cr_expect(iv_reading_is_ahead(w.reading, IV_LEDGER) == false);
    cr_expect(iv_reading_reached(w.reading, IV_LEDGER) == IV_NS_MIN);
    send(&w, "ledger", 3);
    send(&w, "telemetry", 2);

    cr_assert(iv_ok(iv_reading_ahead(w.reading, cut, 400 * S, ledger, &err)), "%s", err.text);
    ask(&w, true);
    while (iv_reading_reached(w.reading, IV_LEDGER) < 500 * S ||
           iv_reading_reached(w.reading, IV_TELEMETRY) < 500 * S) {
        poll_once(&w);
    }

    cr_expect(w.ahead_count == 10, "%zu were read: nothing twice, nothing not at all", w.ahead_count);
}

Test(reading, is_not_believed_to_be_whole_beyond_when_the_partitions_were_counted)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    begin(&w);
    ask(&w, false);
    ask(&w, false);
    for (int i = 0; i < 5; i++) {
        poll_once(&w);
    }
    cr_expect(iv_reading_counted(w.reading) == 400 * S);
    cr_expect(iv_reading_reached(w.reading, IV_TELEMETRY) == 400 * S);

    ask(&w, true);
    while (iv_reading_reached(w.reading, IV_TELEMETRY) < 700 * S) {
        poll_once(&w);
    }
}

Test(reading, ends_where_nothing_is_wanted_and_when_the_clock_was_set)
{
    for (int set = 0; set < 2; set++) {
        IV_AUTO(world_deinit) struct world w;
        struct iv_err err = {.text = ""};
        bool cut[IV_STREAMS];
        world_init(&w);
        begin(&w);

        if (set == 1) {
            iv_reading_clock_set(w.reading);
        } else {
            iv_reading_stop(w.reading);
        }
        send(&w, "telemetry", 5);
        for (int i = 0; i < 3; i++) {
            poll_once(&w);
        }
        cr_expect(w.ahead_count == 5 && iv_reading_reached(w.reading, IV_TELEMETRY) == IV_NS_MIN);

        ask(&w, true);
        cr_assert(iv_ok(iv_reading_ahead(w.reading, cut, 500 * S, telemetry, &err)), "%s", err.text);
        send(&w, "telemetry", 1);
        while (w.ahead_count < 6) {
            poll_once(&w);
        }
        cr_expect(w.ahead[5] == 30, "what came meanwhile was not asked for: %d", w.ahead[5]);
    }
}

Test(reading, waits_for_a_broker_that_is_away)
{
    IV_AUTO(world_deinit) struct world w;
    world_init(&w);
    begin(&w);
    struct iv_err err = {.text = ""};
    bool anew = true;
    cr_assert(iv_ok(iv_embedded_set_down(w.broker, true, &err)), "%s", err.text);
    struct iv_rc_s rc = IV_OK;
    while (iv_ok(rc)) {
        be_patient(&w);
        rc = iv_reading_ask(w.reading, true, &anew, &err);
    }
    cr_expect(rc.code == IV_E_BROKER && anew == false);
    iv_ns reached = iv_reading_reached(w.reading, IV_TELEMETRY);
    cr_assert(iv_ok(iv_embedded_set_down(w.broker, false, &err)), "%s", err.text);

    send(&w, "telemetry", 5);
    ask(&w, true);
    while (w.ahead_count < 10 || iv_reading_reached(w.reading, IV_TELEMETRY) <= reached) {
        poll_once(&w);
    }

    cr_expect(are_from(w.ahead, w.ahead_count, 20, 10));
}
