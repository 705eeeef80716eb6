/* SPDX-License-Identifier: Apache-2.0 */
/* Consumer and producer against the embedded broker. What only a real one can show is in tests/broker. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/embedded.h"
#include "stream/kafka.h"
#include "stream/producer.h"
#include "support/overdue.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

static struct iv_embedded *broker(int partitions)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    const struct iv_embedded_topic topics[] = {{"ledger", partitions}, {"telemetry", partitions}};
    struct iv_embedded *embedded = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_embedded_open(&embedded, 1, topics, IV_COUNT(topics), &err)), "%s", err.text);
    return embedded;
}

/* Reports of one producer. */
struct reports {
    size_t delivered;
    size_t failed;
    uintptr_t tickets; /* sum */
    struct iv_err last;
};

static void report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct reports *reports = ctx;
    reports->tickets += (uintptr_t)ticket;
    if (failure == NULL) {
        reports->delivered++;
    } else {
        reports->failed++;
        reports->last = *failure;
    }
}

static struct iv_producer *producer(const char *servers, const char *name, const char *value,
                                    struct reports *reports)
{
    struct iv_property properties[] = {{IV_STR("bootstrap.servers"), iv_str_of(servers)},
                                       {iv_str_of(name), iv_str_of(value)}};
    struct iv_producer_options options = {
        .properties = properties, .property_count = name == NULL ? 1 : 2, .report = report, .ctx = reports};
    struct iv_producer *out = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_open(&out, &options, &err)), "%s", err.text);
    return out;
}

/* Records {"n":from} and so on, each filled up with spaces to at least width bytes. */
static void send(struct iv_producer *p, const char *topic, int width, int from, int to)
{
    struct iv_err err;
    for (int i = from; i < to; i++) {
        char value[1200];
        int n = snprintf(value, sizeof value, "{\"n\":%d}%*s", i, width, "");
        struct iv_message message = {.topic = iv_str_of(topic),
                                     .key = IV_STR("tenant-1"),
                                     .value = {value, (size_t)n},
                                     .ticket = (void *)(uintptr_t)i};
        cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
}

static void produce_wide(struct iv_embedded *embedded, const char *topic, int width, int from, int to)
{
    struct reports reports = {0};
    struct iv_producer *p = producer(iv_embedded_servers(embedded), NULL, NULL, &reports);
    send(p, topic, width, from, to);
    cr_assert(eq(sz, reports.delivered, (size_t)(to - from)));
    iv_producer_close(p);
}

static void produce(struct iv_embedded *embedded, const char *topic, int from, int to)
{
    produce_wide(embedded, topic, 0, from, to);
}

/* What one consumer saw. */
struct seen {
    int64_t start; /* where partitions begin; IV_OFFSET_COMMITTED: leave it */
    size_t assigned;
    size_t revoked;
    size_t gaps;
    int64_t gap_from;
    int64_t gap_to;
    size_t records[IV_STREAMS];
    size_t ends;
    int64_t next[IV_STREAMS]; /* offsets of partition 0 */
    struct iv_buf values;     /* of the ledger */
};

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    (void)err;
    struct seen *seen = ctx;
    seen->assigned += count;
    for (size_t i = 0; i < count && seen->start != IV_OFFSET_COMMITTED; i++) {
        positions[i].offset = seen->start;
    }
    return IV_OK;
}

static void on_revoked(void *ctx, const struct iv_cursor *positions, size_t count, bool lost)
{
    (void)positions;
    (void)lost;
    ((struct seen *)ctx)->revoked += count;
}

static void on_gap(void *ctx, const struct iv_cursor *at, int64_t next)
{
    struct seen *seen = ctx;
    seen->gaps++;
    seen->gap_from = at->offset;
    seen->gap_to = next;
}

static struct iv_consumer *consumer(struct seen *seen, const char *servers, const char *name,
                                    const char *value)
{
    iv_buf_init(&seen->values, 1u << 20);
    struct iv_property properties[] = {
        {IV_STR("bootstrap.servers"), iv_str_of(servers)},
        {IV_STR("group.id"), IV_STR("test")},
        {IV_STR("fetch.wait.max.ms"), IV_STR("10")},
        /* The embedded broker forms a group within 3 s, and rebalances within this. */
        {IV_STR("session.timeout.ms"), IV_STR("5000")},
        {IV_STR("heartbeat.interval.ms"), IV_STR("200")},
        {iv_str_of(name), iv_str_of(value)}};
    struct iv_consumer_options options = {
        .properties = properties,
        .property_count = name == NULL ? 5 : 6,
        .topics = {IV_STR("ledger"), IV_STR("telemetry")},
        .hooks = {.ctx = seen, .assigned = on_assigned, .revoked = on_revoked, .gap = on_gap}};
    struct iv_consumer *out = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_consumer_open(&out, &options, &err)), "%s", err.text);
    return out;
}

static void poll_once(struct iv_consumer *c, struct seen *seen)
{
    struct iv_batch batch;
    struct iv_err err;
    cr_assert(not(overdue()), "what was waited for did not come");
    cr_assert(iv_ok(iv_consumer_poll(c, &batch, 50 * IV_NS_PER_MS, &err)), "%s", err.text);
    for (size_t i = 0; i < batch.count; i++) {
        const struct iv_record *r = &batch.records[i];
        seen->records[r->origin.stream]++;
        if (r->origin.partition == 0) {
            seen->next[r->origin.stream] = r->origin.offset + 1;
        }
        if (r->origin.stream == IV_LEDGER && seen->values.n < 200) {
            iv_buf_printf(&seen->values, "%lld:" IV_STR_FMT ";", (long long)r->origin.offset,
                          IV_STR_ARG(r->bytes));
        }
    }
    seen->ends += batch.end_count;
}

Test(kafka, what_is_produced_is_consumed_in_order_with_its_origin_and_the_end_is_told)
{
    struct iv_embedded *embedded = broker(1);
    produce(embedded, "ledger", 0, 3);
    produce(embedded, "telemetry", 0, 5000);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consumer(&seen, iv_embedded_servers(embedded), NULL, NULL);

    while (seen.records[IV_TELEMETRY] < 5000 || seen.ends < 2) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.assigned, 2));
    cr_expect(eq(sz, seen.records[IV_LEDGER], 3));
    cr_expect(eq(str, seen.values.p, "0:{\"n\":0};1:{\"n\":1};2:{\"n\":2};"));
    struct iv_partition_stats stats[4];
    cr_expect(eq(sz, iv_consumer_partitions(c, stats, 4), 2));
    cr_expect(eq(i64, stats[0].position.offset + stats[1].position.offset, 5003));
    cr_expect(eq(i64, stats[0].lag + stats[1].lag, 0));
    struct iv_consumer_health health;
    iv_consumer_health(c, &health);
    cr_expect(health.reachable && health.complete && health.assigned);
    cr_expect(eq(str, health.trouble, ""));
    iv_consumer_close(c);
    cr_expect(eq(sz, seen.revoked, 2), "closing gives the partitions back");
    iv_buf_deinit(&seen.values);
    iv_embedded_close(embedded);
}

Test(kafka, a_consumer_begins_behind_the_committed_offset_and_nothing_else_commits)
{
    struct iv_embedded *embedded = broker(1);
    produce(embedded, "ledger", 0, 10);
    struct seen first = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consumer(&first, iv_embedded_servers(embedded), NULL, NULL);
    while (first.records[IV_LEDGER] < 10) {
        poll_once(c, &first);
    }
    struct iv_err err;
    const struct iv_cursor done = {IV_LEDGER, 0, 4};
    cr_assert(iv_ok(iv_consumer_commit(c, &done, 1, true, &err)), "%s", err.text);
    iv_consumer_close(c);
    struct seen second = {.start = IV_OFFSET_COMMITTED};

    c = consumer(&second, iv_embedded_servers(embedded), NULL, NULL);
    while (second.next[IV_LEDGER] < 10) {
        poll_once(c, &second);
    }

    cr_expect(eq(sz, second.records[IV_LEDGER], 6));
    cr_expect(eq(int, strncmp(second.values.p, "4:{\"n\":4};", 10), 0));
    iv_consumer_close(c);
    iv_buf_deinit(&first.values);
    iv_buf_deinit(&second.values);
    iv_embedded_close(embedded);
}

Test(kafka, an_application_may_begin_where_its_own_store_says)
{
    struct iv_embedded *embedded = broker(1);
    produce(embedded, "ledger", 0, 10);
    produce(embedded, "telemetry", 0, 10);
    struct seen seen = {.start = 7};
    struct iv_consumer *c = consumer(&seen, iv_embedded_servers(embedded), NULL, NULL);

    while (seen.next[IV_LEDGER] < 10 || seen.next[IV_TELEMETRY] < 10) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.records[IV_LEDGER], 3));
    cr_expect(eq(sz, seen.records[IV_TELEMETRY], 3));
    iv_consumer_close(c);
    iv_buf_deinit(&seen.values);
    iv_embedded_close(embedded);
}

static void a_gap_is_told(const char *strategy)
{
    struct iv_embedded *embedded = broker(1);
    /* The embedded broker keeps 5 MB of a partition. */
    produce_wide(embedded, "ledger", 1000, 0, 12000);
    produce(embedded, "telemetry", 0, 10);
    struct seen seen = {.start = 5};
    struct iv_consumer *c =
        consumer(&seen, iv_embedded_servers(embedded), "partition.assignment.strategy", strategy);

    while (seen.next[IV_LEDGER] < 12000 || seen.next[IV_TELEMETRY] < 10) {
        poll_once(c, &seen);
    }

    cr_expect(eq(sz, seen.gaps, 1));
    cr_expect(eq(i64, seen.gap_from, 5));
    cr_expect(gt(i64, seen.gap_to, 5));
    cr_expect(eq(i64, (int64_t)seen.records[IV_LEDGER], 12000 - seen.gap_to),
              "all that the broker still has");
    cr_expect(eq(sz, seen.records[IV_TELEMETRY], 5), "once each, although all are assigned anew");
    iv_consumer_close(c);
    iv_buf_deinit(&seen.values);
    iv_embedded_close(embedded);
}

Test(kafka, what_the_broker_no_longer_has_is_a_gap_with_its_bounds)
{
    a_gap_is_told("range");
}

Test(kafka, a_gap_is_told_under_the_cooperative_protocol_too)
{
    a_gap_is_told("cooperative-sticky");
}

static void partitions_move(const char *strategy)
{
    struct iv_embedded *embedded = broker(2);
    struct seen first = {.start = IV_OFFSET_COMMITTED};
    struct seen second = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *a =
        consumer(&first, iv_embedded_servers(embedded), "partition.assignment.strategy", strategy);
    while (first.assigned < 4) {
        poll_once(a, &first);
    }
    struct iv_consumer *b =
        consumer(&second, iv_embedded_servers(embedded), "partition.assignment.strategy", strategy);

    while (second.assigned < 2 || first.assigned - first.revoked != 2) {
        poll_once(a, &first);
        poll_once(b, &second);
    }
    iv_consumer_close(b);
    while (first.assigned - first.revoked != 4) {
        poll_once(a, &first);
    }

    cr_expect(eq(sz, second.assigned - second.revoked, 0));
    iv_consumer_close(a);
    cr_expect(eq(sz, first.assigned - first.revoked, 0));
    iv_buf_deinit(&first.values);
    iv_buf_deinit(&second.values);
    iv_embedded_close(embedded);
}

Test(kafka, partitions_move_to_a_second_consumer_and_back)
{
    partitions_move("range");
}

Test(kafka, partitions_move_under_the_cooperative_protocol_too)
{
    partitions_move("cooperative-sticky");
}

Test(kafka, a_broker_that_goes_away_is_told_and_waited_for)
{
    struct iv_embedded *embedded = broker(1);
    produce(embedded, "ledger", 0, 10);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consumer(&seen, iv_embedded_servers(embedded), "reconnect.backoff.max.ms", "200");
    while (seen.next[IV_LEDGER] < 10) {
        poll_once(c, &seen);
    }
    struct iv_consumer_health health;
    cr_assert(iv_ok(iv_embedded_set_down(embedded, true, NULL)));

    do {
        poll_once(c, &seen);
        iv_consumer_health(c, &health);
    } while (health.reachable);
    cr_expect(ne(str, health.trouble, ""));
    cr_assert(iv_ok(iv_embedded_set_down(embedded, false, NULL)));
    do {
        poll_once(c, &seen);
        iv_consumer_health(c, &health);
    } while (!health.reachable);
    produce(embedded, "ledger", 10, 20);
    while (seen.next[IV_LEDGER] < 20) {
        poll_once(c, &seen);
    }

    iv_consumer_health(c, &health);
    cr_expect(health.reachable);
    cr_expect(eq(sz, seen.records[IV_LEDGER], 20));
    iv_consumer_close(c);
    iv_buf_deinit(&seen.values);
    iv_embedded_close(embedded);
}

Test(kafka, a_broker_that_is_not_there_is_told_and_closing_does_not_hang)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consumer(&seen, "127.0.0.1:1", NULL, NULL);
    struct iv_consumer_health health = {.reachable = true};

    while (health.reachable) {
        poll_once(c, &seen);
        iv_consumer_health(c, &health);
    }

    cr_expect(strstr(health.trouble, "127.0.0.1:1") != NULL, "%s", health.trouble);
    cr_expect(strstr(health.trouble, "Connection refused") != NULL, "%s", health.trouble);
    iv_consumer_close(c);
    iv_buf_deinit(&seen.values);
}

Test(kafka, headers_come_with_the_record)
{
    struct iv_embedded *embedded = broker(1);
    struct reports reports = {0};
    struct iv_producer *p = producer(iv_embedded_servers(embedded), NULL, NULL, &reports);
    const struct iv_header headers[] = {{IV_STR("ce_id"), IV_STR("e-1")}, {IV_STR("ce_empty"), IV_STR("")}};
    const struct iv_message message = {.topic = IV_STR("ledger"),
                                       .value = IV_STR("{}"),
                                       .headers = headers,
                                       .header_count = IV_COUNT(headers)};
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    const struct iv_message tombstone = {.topic = IV_STR("ledger"), .value = {NULL, 0}};
    cr_assert(iv_ok(iv_producer_send(p, &tombstone, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    struct seen seen = {.start = IV_OFFSET_COMMITTED};
    struct iv_consumer *c = consumer(&seen, iv_embedded_servers(embedded), NULL, NULL);
    struct iv_batch batch = {0};
    size_t got = 0;

    while (got < 2) {
        cr_assert(not(overdue()));
        cr_assert(iv_ok(iv_consumer_poll(c, &batch, 50 * IV_NS_PER_MS, &err)), "%s", err.text);
        for (size_t i = 0; i < batch.count; i++, got++) {
            const struct iv_record *r = &batch.records[i];
            if (got == 0) {
                cr_assert(eq(sz, r->header_count, 2));
                cr_expect(iv_str_eq(r->headers[0].name, IV_STR("ce_id")));
                cr_expect(iv_str_eq(r->headers[0].value, IV_STR("e-1")));
                cr_expect(eq(sz, r->headers[1].value.n, 0));
            } else {
                cr_expect(eq(sz, r->header_count, 0));
                cr_expect(eq(sz, r->bytes.n, 0), "a tombstone is an empty record");
            }
        }
    }

    iv_consumer_close(c);
    iv_buf_deinit(&seen.values);
    iv_producer_close(p);
    iv_embedded_close(embedded);
}

Test(kafka, every_message_is_reported_once_with_its_ticket)
{
    struct iv_embedded *embedded = broker(1);
    struct reports reports = {0};
    struct iv_producer *p = producer(iv_embedded_servers(embedded), NULL, NULL, &reports);

    send(p, "ledger", 0, 0, 1000);

    cr_expect(eq(sz, reports.delivered, 1000));
    cr_expect(eq(u64, (uint64_t)reports.tickets, 999 * 500));
    cr_expect(eq(sz, iv_producer_pending(p), 0));
    iv_producer_close(p);
    iv_embedded_close(embedded);
}

Test(kafka, a_full_queue_is_busy_and_what_was_not_sent_is_reported_as_failed)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    struct reports reports = {0};
    struct iv_producer *p = producer("127.0.0.1:1", "queue.buffering.max.messages", "10", &reports);
    struct iv_message message = {.topic = IV_STR("ledger"), .value = IV_STR("{}")};
    struct iv_err err;
    struct iv_rc_s rc = IV_OK;
    size_t accepted = 0;

    while (iv_ok(rc = iv_producer_send(p, &message, &err))) {
        accepted++;
    }

    cr_expect(eq(int, (int)rc.code, (int)IV_E_BUSY));
    cr_expect(eq(sz, accepted, 10));
    cr_expect(eq(int, (int)iv_producer_flush(p, 10 * IV_NS_PER_MS, &err).code, (int)IV_E_TIMEOUT));
    cr_expect(eq(sz, iv_producer_pending(p), 10));
    iv_producer_close(p);
    cr_expect(eq(sz, reports.failed, 10));
}

Test(kafka, a_message_that_is_too_large_is_refused_at_once)
{
    struct iv_embedded *embedded = broker(1);
    struct reports reports = {0};
    struct iv_producer *p = producer(iv_embedded_servers(embedded), "message.max.bytes", "2000", &reports);
    static char large[3000];
    const struct iv_message message = {.topic = IV_STR("ledger"), .value = {large, sizeof large}};
    struct iv_err err;

    struct iv_rc_s rc = iv_producer_send(p, &message, &err);

    cr_expect(eq(int, (int)rc.code, (int)IV_E_LIMIT));
    cr_expect(strstr(err.text, "3000 bytes") != NULL, "%s", err.text);
    iv_producer_close(p);
    iv_embedded_close(embedded);
}

Test(kafka, properties_are_checked_when_the_client_is_made)
{
    static const struct {
        const char *name;
        const char *value;
        const char *want;
    } rows[] = {
        {"boostrap.servers", "x:1",
         "kafka: there is no property 'boostrap.servers', did you mean 'bootstrap.servers'?"},
        {"completely.unlike", "1", "kafka: there is no property 'completely.unlike'"},
        {"session.timeout.ms", "soon", "kafka: property 'session.timeout.ms': "},
        {"security.protocol", "tls", "kafka: property 'security.protocol': "},
        {"enable.auto.commit", "true",
         "kafka: property 'enable.auto.commit' must stay 'false': offsets are committed when"},
        {"check.crcs", "false", "kafka: property 'check.crcs' must stay 'true': "},
        {"isolation.level", "read_uncommitted",
         "kafka: property 'isolation.level' must stay 'read_committed': "},
        {"auto.offset.reset", "latest",
         "kafka: property 'auto.offset.reset' must be 'error' or 'earliest', not 'largest'"},
        {"ssl.ca.location", "/nowhere/ca.pem", "kafka: the client cannot be made: "},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_property properties[] = {{IV_STR("security.protocol"), IV_STR("ssl")},
                                                 {iv_str_of(rows[i].name), iv_str_of(rows[i].value)}};
        const struct iv_consumer_options options = {
            .properties = properties, .property_count = 2, .topics = {IV_STR("ledger"), IV_STR("telemetry")}};
        struct iv_consumer *c = NULL;
        struct iv_err err = {.text = ""};

        struct iv_rc_s rc = iv_consumer_open(&c, &options, &err);

        cr_expect(eq(int, (int)rc.code, (int)IV_E_REFUSED), "%s", rows[i].name);
        cr_expect(strncmp(err.text, rows[i].want, strlen(rows[i].want)) == 0, "%s", err.text);
    }
}

Test(kafka, a_value_that_says_the_same_as_a_fixed_one_is_no_fault)
{
    const struct iv_property properties[] = {{IV_STR("enable.auto.commit"), IV_STR("False")},
                                             {IV_STR("auto.offset.reset"), IV_STR("earliest")},
                                             {IV_STR("acks"), IV_STR("all")}};
    const struct iv_consumer_options options = {
        .properties = properties, .property_count = 3, .topics = {IV_STR("ledger"), IV_STR("telemetry")}};
    struct iv_consumer *c = NULL;
    struct iv_err err = {.text = ""};

    cr_assert(iv_ok(iv_consumer_open(&c, &options, &err)), "%s", err.text);

    iv_consumer_close(c);
}
