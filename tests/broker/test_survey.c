/* SPDX-License-Identifier: Apache-2.0 */
/* Reading beside the group, against a real broker: what is gone, what was aborted, and topics that become
 * others. with_kafka sets the environment. */
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "daemon/reading.h"
#include "stream/ends.h"
#include "stream/survey.h"
#include "support/kafka.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define WAIT LONG_ENOUGH
#define LATER INT64_C(4102444800000000000) /* 2100-01-01 */
#define PARTITIONS_MAX 4

/* What a survey of the telemetry has read; the ledger is there, and empty. */
struct world {
    struct iv_property servers;
    struct iv_survey *survey;
    size_t records;
    size_t gaps;
    int64_t next[PARTITIONS_MAX]; /* by partition */
    bool out_of_order;
};

static void on_gap(void *ctx, const struct iv_cursor *at)
{
    struct world *w = ctx;
    w->gaps++;
    w->next[at->partition] = 0;
}

static void look_at(struct world *w, const char *telemetry)
{
    struct iv_err err = {.text = ""};
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    *w = (struct world){.servers = {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_BOOTSTRAP"))}};
    struct iv_survey_options options = {.properties = &w->servers,
                                        .property_count = 1,
                                        .topics = {IV_STR("survey-ledger"), iv_str_of(telemetry)},
                                        .gap = on_gap,
                                        .ctx = w};
    cr_assert(iv_ok(iv_survey_open(&w->survey, &options, &err)), "%s", err.text);
}

static void world_deinit(struct world *w)
{
    iv_survey_close(w->survey);
}

static void read_from(struct world *w, int64_t offset, int partitions)
{
    struct iv_cursor from[PARTITIONS_MAX];
    for (int p = 0; p < partitions; p++) {
        from[p] = (struct iv_cursor){.stream = IV_TELEMETRY, .partition = p, .offset = offset};
    }
    cr_assert(iv_ok(iv_survey_read(w->survey, from, (size_t)partitions, NULL)));
}

static void poll_once(struct world *w)
{
    struct iv_batch batch;
    struct iv_err err = {.text = ""};
    bool moved = false;
    bool is_late = overdue();
    cr_assert_not(is_late, "what was waited for did not come");
    if (!iv_ok(iv_survey_poll(w->survey, &batch, &moved, 50 * IV_NS_PER_MS, &err))) {
        return; /* it is asked again */
    }
    for (size_t i = 0; i < batch.count; i++) {
        const struct iv_origin *at = &batch.records[i].origin;
        w->out_of_order = w->out_of_order || at->offset < w->next[at->partition];
        w->next[at->partition] = at->offset + 1;
        w->records++;
    }
}

static int64_t place(const struct world *w)
{
    size_t count = 0;
    int64_t sum = 0;
    const struct iv_cursor *at = iv_survey_at(w->survey, &count);
    for (size_t i = 0; i < count; i++) {
        sum += at[i].offset;
    }
    return sum;
}

/* The first record since then, of partition 0. */
static int64_t find(struct world *w, iv_ns time, bool *cut)
{
    struct iv_err err = {.text = ""};
    bool all[IV_STREAMS];
    struct iv_cursor at = {.stream = IV_TELEMETRY};
    cr_assert(iv_ok(iv_survey_find(w->survey, &at, 1, all, time, WAIT, &err)), "%s", err.text);
    *cut = all[IV_TELEMETRY];
    return at.offset;
}

Test(survey, reads_all_partitions_from_where_it_is_told_and_as_often_as_it_is)
{
    IV_AUTO(world_deinit) struct world w;
    kafka_create("survey-wide", 4);
    kafka_produce("survey-wide", 0, 2000);
    look_at(&w, "survey-wide");
    for (int i = 1; i <= 2; i++) {
        memset(w.next, 0, sizeof w.next);
        read_from(&w, 0, 4);
        while (place(&w) < 2000) {
            poll_once(&w);
        }
        cr_expect(w.records == (size_t)i * 2000 && w.out_of_order == false, "time %d: %zu", i, w.records);
    }

    iv_survey_rest(w.survey);
    kafka_produce("survey-wide", 2000, 2010);
    for (int i = 0; i < 10; i++) {
        poll_once(&w);
    }

    cr_expect(w.records == 4000 && w.gaps == 0);
}

Test(survey, finds_where_what_was_written_since_begins_and_says_if_some_may_be_gone)
{
    IV_AUTO(world_deinit) struct world w;
    bool cut = true;
    struct iv_clock clock = iv_clock_system();
    kafka_create("survey-found", 1);
    look_at(&w, "survey-found");
    cr_expect(find(&w, 1, &cut) == 0 && cut == false, "nothing was written yet");
    kafka_produce("survey-found", 0, 100);
    iv_ns now = iv_wall(&clock);
    cr_expect(find(&w, 1, &cut) == 0 && cut == false);
    cr_expect(find(&w, now - 3600 * IV_NS_PER_S, &cut) == 0 && cut == false);
    cr_expect(find(&w, LATER, &cut) == 100 && cut == false, "none: where they end");

    kafka_delete_before("survey-found", 70);

    cr_expect(find(&w, 1, &cut) == 70 && cut, "what is left begins there");
    cr_expect(find(&w, LATER, &cut) == 100 && cut == false);
    kafka_delete_before("survey-found", 100);
    cr_expect(find(&w, 1, &cut) == 100 && cut, "nothing is left");
}

Test(survey, tells_what_retention_has_removed_and_goes_on_behind_it)
{
    IV_AUTO(world_deinit) struct world w;
    kafka_create("survey-cut", 1);
    kafka_produce("survey-cut", 0, 100);
    kafka_delete_before("survey-cut", 70);
    look_at(&w, "survey-cut");
    read_from(&w, 5, 1);

    while (place(&w) < 100) {
        poll_once(&w);
    }

    cr_expect(w.gaps == 1 && w.records == 30 && w.next[0] == 100);
}

static int64_t stable(struct world *w)
{
    struct iv_err err = {.text = ""};
    struct iv_cursor at = {.stream = IV_TELEMETRY};
    cr_assert(iv_ok(iv_survey_stable(w->survey, &at, 1, WAIT, &err)), "%s", err.text);
    return at.offset;
}

static int64_t log_end(const struct world *w, const char *topic)
{
    struct iv_err err = {.text = ""};
    const struct iv_str topics[IV_STREAMS] = {IV_STR("survey-ledger"), iv_str_of(topic)};
    IV_AUTO(iv_ends_closep) struct iv_ends *ends = NULL;
    struct iv_cursor at = {.stream = IV_TELEMETRY};
    cr_assert(iv_ok(iv_ends_open(&ends, &w->servers, 1, topics, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_ends_ask(ends, &at, 1, WAIT, &err)), "%s", err.text);
    return at.offset;
}

Test(survey, passes_by_what_was_aborted_and_stops_before_what_is_open)
{
    IV_AUTO(world_deinit) struct world w;
    kafka_create("survey-aborted", 1);
    kafka_produce("survey-aborted", 0, 10);
    rd_kafka_t *rk = kafka_client("transactional.id", "survey");
    cr_assert(rd_kafka_init_transactions(rk, PATIENCE_MS) == NULL);
    kafka_in_transaction(rk, "survey-aborted", 5);
    cr_assert(rd_kafka_abort_transaction(rk, PATIENCE_MS) == NULL);
    look_at(&w, "survey-aborted");
    read_from(&w, 0, 1);
    while (place(&w) < log_end(&w, "survey-aborted")) { /* no record says so */
        poll_once(&w);
    }
    cr_expect(w.records == 10 && stable(&w) == place(&w));

    kafka_in_transaction(rk, "survey-aborted", 7);
    kafka_produce("survey-aborted", 10, 20);
    int64_t open = stable(&w);
    for (int i = 0; i < 10; i++) {
        poll_once(&w);
    }
    cr_expect(w.records == 10 && open == place(&w) && open + 17 == log_end(&w, "survey-aborted"));
    cr_assert(rd_kafka_commit_transaction(rk, PATIENCE_MS) == NULL);
    while (place(&w) < log_end(&w, "survey-aborted")) {
        poll_once(&w);
    }

    cr_expect(w.records == 27 && stable(&w) == place(&w) && w.gaps == 0);
    rd_kafka_destroy(rk);
}

Test(survey, of_a_topic_that_was_made_anew_is_a_gap_and_begins_with_the_new_one)
{
    IV_AUTO(world_deinit) struct world w;
    kafka_create("survey-anew", 1);
    kafka_produce("survey-anew", 0, 20);
    look_at(&w, "survey-anew");
    read_from(&w, 0, 1);
    while (place(&w) < 20) {
        poll_once(&w);
    }

    kafka_delete("survey-anew");
    kafka_create("survey-anew", 1);
    kafka_produce("survey-anew", 0, 5);
    while (w.records < 25) {
        poll_once(&w);
    }

    cr_expect(w.gaps >= 1 && place(&w) == 5);
}

static iv_ns wall(void *ctx)
{
    struct iv_clock clock = iv_clock_system();
    (void)ctx;
    return iv_wall(&clock);
}

static void on_gap_of_reading(void *ctx, const struct iv_cursor *at, bool back)
{
    (void)at;
    (void)back;
    ++*(size_t *)ctx;
}

/* A partition that is new may have no leader yet: then it is asked again. */
static void begin(struct iv_reading *reading, iv_ns since)
{
    const bool telemetry[IV_STREAMS] = {[IV_TELEMETRY] = true};
    bool cut[IV_STREAMS];
    bool anew = false;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = iv_reading_ahead(reading, cut, since, telemetry, &err);
    while (!iv_ok(rc)) {
        cr_assert(overdue() == false, "%s", err.text);
        rc = iv_reading_ask(reading, false, &anew, &err);
        rc = iv_ok(rc) ? iv_reading_ahead(reading, cut, since, telemetry, &err) : rc;
    }
    cr_expect(cut[IV_TELEMETRY] == false);
}

/* A partition more: all is looked at anew, and what stands in it is found. */
Test(reading, finds_what_is_written_to_a_partition_that_was_added)
{
    size_t gaps = 0;
    bool anew = false;
    struct iv_err err = {.text = ""};
    const struct iv_property servers = {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_BOOTSTRAP"))};
    struct iv_reading_options options = {.properties = &servers,
                                         .property_count = 1,
                                         .topics = {IV_STR("narrow-ledger"), IV_STR("widened")},
                                         .now = wall,
                                         .gap = on_gap_of_reading,
                                         .ctx = &gaps};
    struct iv_reading *reading = NULL;
    size_t records = 0;
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    kafka_create("narrow-ledger", 1);
    kafka_create("widened", 1);
    cr_assert(iv_ok(iv_reading_open(&reading, &options, &err)), "%s", err.text);
    while (!iv_ok(iv_reading_ask(reading, true, &anew, &err))) {
        cr_assert(overdue() == false, "%s", err.text);
    }
    iv_ns begun = wall(NULL);
    begin(reading, begun);

    kafka_widen("widened", 3);
    kafka_produce("widened", 0, 60);
    anew = false;
    while (!anew) { /* what one broker knows another may not */
        struct iv_rc_s rc = iv_reading_ask(reading, true, &anew, &err);
        cr_assert(overdue() == false, "%s", iv_ok(rc) ? "as wide as before" : err.text);
    }
    cr_expect(iv_reading_is_ahead(reading, IV_TELEMETRY) == false);
    size_t count = 0;
    (void)iv_reading_ends(reading, &count);
    cr_expect(count == 4);
    begin(reading, begun);
    while (records < 60) {
        struct iv_batch batch;
        bool back = false;
        bool moved = false;
        cr_assert(overdue() == false, "%zu were read", records);
        struct iv_rc_s rc = iv_reading_poll(reading, &batch, &back, &moved, 50 * IV_NS_PER_MS, &err);
        records += iv_ok(rc) ? batch.count : 0;
    }

    cr_expect(gaps == 0);
    iv_reading_close(reading);
}
