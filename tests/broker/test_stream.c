/* SPDX-License-Identifier: Apache-2.0 */
/* The room stream against a real broker: what the embedded one cannot show.
 * with_kafka sets the environment. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/ends.h"
#include "stream/kafka.h"
#include "support/kafka.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct seen {
    int64_t start;
    size_t records;
    size_t bytes;
    size_t ends;
    int64_t end; /* of the last */
    size_t gaps;
    int64_t gap_from;
    int64_t gap_to;
    int64_t next[8]; /* by partition */
    int last[8];     /* n of the last record, by partition */
    bool out_of_order;
};

static iv_rc begin(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    (void)err;
    const struct seen *seen = ctx;
    for (size_t i = 0; i < count && seen->start != IV_OFFSET_COMMITTED; i++) {
        positions[i].offset = seen->start;
    }
    return IV_OK;
}

static void gap(void *ctx, const struct iv_cursor *at, int64_t next)
{
    struct seen *seen = ctx;
    seen->gaps++;
    seen->gap_from = at->offset;
    seen->gap_to = next;
}

#define PROPERTIES_MAX 8

static struct iv_consumer *consume(struct seen *seen, const char *topic, const struct iv_property *more,
                                   size_t count)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    struct iv_property properties[PROPERTIES_MAX] = {
        {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_BOOTSTRAP"))},
        {IV_STR("group.id"), iv_str_of(topic)}};
    for (size_t i = 0; i < count; i++) {
        properties[2 + i] = more[i];
    }
    const struct iv_consumer_options options = {.properties = properties,
                                                .property_count = 2 + count,
                                                .topics = {[IV_LEDGER] = iv_str_of(topic)},
                                                .hooks = {.ctx = seen, .assigned = begin, .gap = gap}};
    struct iv_consumer *c = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_consumer_open(&c, &options, &err)), "%s", err.text);
    return c;
}

static void poll_once(struct iv_consumer *c, struct seen *seen)
{
    struct iv_batch batch;
    struct iv_err err;
    cr_assert(not(overdue()), "what was waited for did not come");
    cr_assert(iv_ok(iv_consumer_poll(c, &batch, 50 * IV_NS_PER_MS, &err)), "%s", err.text);
    for (size_t i = 0; i < batch.count; i++) {
        const struct iv_record *r = &batch.records[i];
        int partition = r->origin.partition;
        int n = r->bytes.n > 5 ? (int)strtol(r->bytes.p + 5, NULL, 10) : 0;
        seen->out_of_order |=
            r->origin.offset != 0 && (n < seen->last[partition] || r->origin.offset < seen->next[partition]);
        seen->last[partition] = n;
        seen->next[partition] = r->origin.offset + 1;
        seen->records++;
        seen->bytes += r->bytes.n;
    }
    seen->ends += batch.end_count;
    seen->end = batch.end_count > 0 ? batch.ends[batch.end_count - 1].offset : seen->end;
}

static struct iv_consumer_health health_of(const struct iv_consumer *c)
{
    struct iv_consumer_health health;
    iv_consumer_health(c, &health);
    return health;
}

Test(real_broker, everything_that_is_produced_is_consumed_once_and_in_order)
{
    kafka_create("round-trip", 4);
    kafka_produce("round-trip", 0, 20000);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consume(&seen, "round-trip", NULL, 0);

    while (seen.records < 20000 || seen.ends < 4) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.records, 20000));
    cr_expect(not(seen.out_of_order));
    cr_expect(eq(i64, seen.next[0] + seen.next[1] + seen.next[2] + seen.next[3], 20000));
    struct iv_partition_stats stats[8];
    cr_assert(eq(sz, iv_consumer_partitions(c, stats, 8), 4));
    for (size_t i = 0; i < 4; i++) {
        cr_expect(stats[i].at_end);
        cr_expect(eq(i64, stats[i].lag, 0));
        cr_expect(eq(i64, stats[i].high, stats[i].position.offset));
    }
    iv_consumer_close(c);
}

Test(real_broker, a_group_goes_on_behind_what_it_committed)
{
    kafka_create("committed", 1);
    kafka_produce("committed", 0, 100);
    struct seen first = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consume(&first, "committed", NULL, 0);
    while (first.records < 100) {
        poll_once(c, &first);
    }
    struct iv_err err;
    const struct iv_cursor done = {IV_LEDGER, 0, 60};
    cr_assert(iv_ok(iv_consumer_commit(c, &done, 1, true, &err)), "%s", err.text);
    iv_consumer_close(c);
    struct seen second = {.start = IV_OFFSET_COMMITTED};

    c = consume(&second, "committed", NULL, 0);
    while (second.next[0] < 100) {
        poll_once(c, &second);
    }

    cr_expect(eq(sz, second.records, 40));
    iv_consumer_close(c);
}

Test(real_broker, what_retention_has_deleted_is_a_gap_with_its_bounds)
{
    kafka_create("deleted", 1);
    kafka_produce("deleted", 0, 100);
    kafka_delete_before("deleted", 70);
    struct seen seen = {.start = 5};
    struct iv_consumer *c = consume(&seen, "deleted", NULL, 0);

    while (seen.next[0] < 100) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.gaps, 1));
    cr_expect(eq(i64, seen.gap_from, 5));
    cr_expect(eq(i64, seen.gap_to, 70));
    cr_expect(eq(sz, seen.records, 30));
    iv_consumer_close(c);
}

Test(real_broker, a_log_that_is_shorter_than_the_position_is_read_again_and_told)
{
    kafka_create("shorter", 1);
    kafka_produce("shorter", 0, 10);
    struct seen seen = {.start = 500};
    struct iv_consumer *c = consume(&seen, "shorter", NULL, 0);

    while (seen.next[0] < 10) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.gaps, 1));
    cr_expect(eq(i64, seen.gap_from, 500));
    cr_expect(eq(i64, seen.gap_to, 0));
    cr_expect(eq(sz, seen.records, 10));
    iv_consumer_close(c);
}

static int64_t end_of(const char *topic)
{
    const struct iv_property servers = {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_BOOTSTRAP"))};
    const struct iv_str topics[IV_STREAMS] = {[IV_LEDGER] = iv_str_of(topic)};
    struct iv_cursor at = {IV_LEDGER, 0, 0};
    struct iv_ends *ends = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_ends_open(&ends, &servers, 1, topics, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_ends_ask(ends, &at, 1, LONG_ENOUGH, &err)), "%s", err.text);
    iv_ends_close(ends);
    return at.offset;
}

Test(real_broker, aborted_records_are_never_seen_and_an_open_transaction_is_told)
{
    kafka_create("transactions", 1);
    kafka_produce("transactions", 0, 10);
    rd_kafka_t *rk = kafka_client("transactional.id", "test");
    cr_assert(rd_kafka_init_transactions(rk, PATIENCE_MS) == NULL);
    kafka_in_transaction(rk, "transactions", 5);
    cr_assert(rd_kafka_abort_transaction(rk, PATIENCE_MS) == NULL);
    kafka_in_transaction(rk, "transactions", 7);
    kafka_produce("transactions", 10, 20);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consume(&seen, "transactions", NULL, 0);
    struct iv_partition_stats stats = {.held = 0};

    while (seen.records < 10 || stats.held != 17) {
        poll_once(c, &seen);
        (void)iv_consumer_partitions(c, &stats, 1);
    }
    cr_expect(eq(sz, seen.records, 10), "neither the aborted ones nor what lies behind the open transaction");
    cr_expect(eq(i64, end_of("transactions"), stats.position.offset + 17), "the end is that of the log");
    cr_assert(rd_kafka_commit_transaction(rk, PATIENCE_MS) == NULL);
    while (seen.records < 27 || stats.held > 0) {
        poll_once(c, &seen);
        cr_assert(eq(sz, iv_consumer_partitions(c, &stats, 1), 1));
    }
    cr_expect(eq(sz, seen.records, 27));
    kafka_in_transaction(rk, "transactions", 5);
    cr_assert(rd_kafka_abort_transaction(rk, PATIENCE_MS) == NULL);
    while (seen.end < end_of("transactions")) { /* no record says that the end has moved */
        poll_once(c, &seen);
    }
    cr_expect(eq(sz, seen.records, 27));
    iv_consumer_close(c);
    rd_kafka_destroy(rk);
}

Test(real_broker, a_topic_that_is_missing_is_told_and_read_once_it_is_there)
{
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    const struct iv_property soon = {IV_STR("topic.metadata.refresh.interval.ms"), IV_STR("500")};
    struct iv_consumer *c = consume(&seen, "not-yet", &soon, 1);

    while (strstr(health_of(c).trouble, "topic not-yet") == NULL) {
        poll_once(c, &seen);
    }
    kafka_create("not-yet", 1);
    kafka_produce("not-yet", 0, 3);
    while (seen.records < 3 || health_of(c).trouble[0] != '\0') {
        poll_once(c, &seen);
    }

    iv_consumer_close(c);
}

static struct iv_consumer *consume_pair(struct seen *seen, struct iv_str ledger, struct iv_str telemetry)
{
    const struct iv_property properties[] = {
        {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_BOOTSTRAP"))},
        {IV_STR("group.id"), telemetry},
        {IV_STR("topic.metadata.refresh.interval.ms"), IV_STR("500")}};
    const struct iv_consumer_options options = {.properties = properties,
                                                .property_count = IV_COUNT(properties),
                                                .topics = {ledger, telemetry},
                                                .hooks = {.ctx = seen, .assigned = begin, .gap = gap}};
    struct iv_consumer *c = NULL;
    struct iv_err err;
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    cr_assert(iv_ok(iv_consumer_open(&c, &options, &err)), "%s", err.text);
    return c;
}

Test(real_broker, one_stream_is_read_while_the_topic_of_the_other_is_missing)
{
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    kafka_create("one-alone", 2);
    kafka_produce("one-alone", 0, 5);
    struct iv_consumer *c = consume_pair(&seen, IV_STR("one-alone"), IV_STR("one-later"));

    while (seen.records < 5 || strstr(health_of(c).trouble, "topic one-later") == NULL) {
        poll_once(c, &seen);
    }
    cr_expect(health_of(c).complete == false);
    kafka_create("one-later", 2);
    kafka_produce("one-later", 0, 3);
    while (seen.records < 8 || !health_of(c).complete) {
        poll_once(c, &seen);
    }

    iv_consumer_close(c);
}

Test(real_broker, the_lead_passes_to_the_ledger_once_it_is_there)
{
    struct seen seen = {.start = 0};
    kafka_create("tail-first", 2);
    kafka_produce("tail-first", 0, 5);
    struct iv_consumer *c = consume_pair(&seen, IV_STR("head-later"), IV_STR("tail-first"));

    while (seen.records < 5) {
        poll_once(c, &seen);
    }
    kafka_create("head-later", 2);
    kafka_produce("head-later", 0, 3);
    while (seen.records < 8) {
        poll_once(c, &seen);
    }

    iv_consumer_close(c);
}

Test(real_broker, a_topic_that_comes_later_with_another_width_is_refused)
{
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    kafka_create("two-wide", 2);
    kafka_produce("two-wide", 0, 5);
    struct iv_consumer *c = consume_pair(&seen, IV_STR("two-wide"), IV_STR("three-wide"));
    struct iv_batch batch;
    struct iv_err err = {.text = ""};
    while (seen.records < 5) {
        poll_once(c, &seen);
    }

    kafka_create("three-wide", 3);
    struct iv_rc_s rc = IV_OK;
    while (iv_ok(rc) && !overdue()) {
        rc = iv_consumer_poll(c, &batch, 50 * IV_NS_PER_MS, &err);
    }

    cr_assert(eq(int, rc.code, IV_E_REFUSED));
    cr_expect(strstr(err.text, "'two-wide' has 2 partitions and 'three-wide' has 3") != NULL, "%s", err.text);
    iv_consumer_close(c);
}

static struct iv_str certificate(const char *name)
{
    static char paths[8][512];
    static size_t used;
    char *path = paths[used++ % IV_COUNT(paths)];
    (void)snprintf(path, sizeof paths[0], "%s/%s", kafka_env("KAFKA_CERTS"), name);
    return iv_str_of(path);
}

Test(real_broker, a_client_certificate_opens_the_tls_listener)
{
    kafka_create("tls", 1);
    kafka_produce("tls", 0, 10);
    const struct iv_property tls[] = {
        {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_TLS_BOOTSTRAP"))},
        {IV_STR("security.protocol"), IV_STR("ssl")},
        {IV_STR("ssl.ca.location"), certificate("ca.pem")},
        {IV_STR("ssl.certificate.location"), certificate("client.pem")},
        {IV_STR("ssl.key.location"), certificate("client.key")}};
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consume(&seen, "tls", tls, IV_COUNT(tls));

    while (seen.records < 10 || health_of(c).trouble[0] != '\0') {
        poll_once(c, &seen);
    }

    iv_consumer_close(c);
}

Test(real_broker, a_connection_that_tls_refuses_says_why)
{
    static const struct {
        const char *ca;
        const char *client; /* NULL: none */
        const char *want;
    } rows[] = {
        {"stranger-ca.pem", "client", "certificate verify failed"},
        {"ca.pem", "stranger", "alert certificate unknown"},
        {"ca.pem", NULL, "alert certificate required"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char client[32];
        char key[32];
        (void)snprintf(client, sizeof client, "%s.pem", rows[i].client == NULL ? "" : rows[i].client);
        (void)snprintf(key, sizeof key, "%s.key", rows[i].client == NULL ? "" : rows[i].client);
        const struct iv_property tls[] = {
            {IV_STR("bootstrap.servers"), iv_str_of(kafka_env("KAFKA_TLS_BOOTSTRAP"))},
            {IV_STR("security.protocol"), IV_STR("ssl")},
            {IV_STR("ssl.ca.location"), certificate(rows[i].ca)},
            {IV_STR("ssl.certificate.location"), certificate(client)},
            {IV_STR("ssl.key.location"), certificate(key)}};
        struct seen seen = {.start = IV_OFFSET_COMMITTED};
        struct iv_consumer *c = consume(&seen, "tls-refused", tls, rows[i].client == NULL ? 3 : 5);

        while (health_of(c).reachable || health_of(c).trouble[0] == '\0') {
            poll_once(c, &seen);
        }

        struct iv_consumer_health health = health_of(c);
        cr_expect(strstr(health.trouble, rows[i].want) != NULL, "row %zu: %s", i, health.trouble);
        iv_consumer_close(c);
    }
}

Test(real_broker, a_record_larger_than_a_fetch_comes_whole)
{
    kafka_create("large", 1);
    enum { BYTES = 3 << 20 };
    char *value = iv_malloc(BYTES);
    memset(value, 'x', BYTES);
    size_t reports = 0;
    struct iv_producer *p = kafka_producer(&reports);
    struct iv_err err;
    const struct iv_message message = {.topic = IV_STR("large"), .value = {value, BYTES}};
    cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consume(&seen, "large", NULL, 0);

    while (seen.records < 1) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.bytes, (size_t)BYTES));
    iv_consumer_close(c);
    iv_producer_close(p);
    iv_free(value);
}

/* Changes one byte of a record where the broker keeps it, as a failing disk does. */
static void damage(const char *topic, const char *record)
{
    char path[512];
    static char bytes[1 << 20];
    (void)snprintf(path, sizeof path, "%s/data/%s-0/00000000000000000000.log", kafka_env("KAFKA_DIR"), topic);
    FILE *file = fopen(path, "r+be");
    cr_assert(file != NULL, "%s", path);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    const char *at = memmem(bytes, n, record, strlen(record));
    cr_assert(at != NULL, "%s is not in %s", record, path);
    cr_assert(eq(int, fseek(file, at - bytes, SEEK_SET), 0));
    cr_assert(eq(int, fputc('#', file), '#'));
    cr_assert(eq(int, fclose(file), 0));
}

/* The library does not get past it, and neither do we: what is evidence is not left out by itself. */
Test(real_broker, a_damaged_batch_is_told_and_deleting_it_lets_reading_go_on_behind_a_gap)
{
    kafka_create("damaged", 1);
    kafka_produce("damaged", 0, 10);
    kafka_produce("damaged", 10, 11);
    kafka_produce("damaged", 11, 20);
    damage("damaged", "{\"n\":10}");
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consume(&seen, "damaged", NULL, 0);

    while (strstr(health_of(c).trouble, "MessageSet at offset 10") == NULL) {
        poll_once(c, &seen);
    }
    cr_expect(strstr(health_of(c).trouble, "failed CRC32C check") != NULL);
    cr_expect(eq(sz, seen.records, 10));
    kafka_delete_before("damaged", 11);
    while (seen.next[0] < 20 || health_of(c).trouble[0] != '\0') {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.records, 19));
    cr_expect(eq(sz, seen.gaps, 1));
    cr_expect(eq(i64, seen.gap_from, 10));
    cr_expect(eq(i64, seen.gap_to, 11));
    iv_consumer_close(c);
}
