/* SPDX-License-Identifier: Apache-2.0 */
/* The defaults of librdkafka that break latency or integrity: that ours are in force, and what the slow ones
 * do. The table of all is in monitor/stream/README.md. */
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/assignment.h"
#include "stream/embedded.h"
#include "stream/producer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define LONG_ENOUGH (120 * IV_NS_PER_S)
#define MANY 12000
#define ATTEMPTS 5 /* a machine that has much else to do is slow at times */

static iv_ns now(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_monotonic(&clock);
}

static struct iv_embedded *broker(void)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    const struct iv_embedded_topic topics[] = {{"ledger", 1}};
    struct iv_embedded *embedded = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_embedded_open(&embedded, 1, topics, IV_COUNT(topics), &err)), "%s", err.text);
    return embedded;
}

static void produce(struct iv_embedded *embedded, int count)
{
    const struct iv_property servers = {IV_STR("bootstrap.servers"),
                                        iv_str_of(iv_embedded_servers(embedded))};
    const struct iv_producer_options options = {.properties = &servers, .property_count = 1};
    const struct iv_message message = {.topic = IV_STR("ledger"), .value = IV_STR("{\"some\":\"bytes\"}")};
    struct iv_producer *p = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_open(&p, &options, &err)), "%s", err.text);
    for (int i = 0; i < count; i++) {
        cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    iv_producer_close(p);
}

static struct iv_consumer *consumer(const char *servers, const struct iv_property *more)
{
    struct iv_property properties[] = {{IV_STR("bootstrap.servers"), iv_str_of(servers)},
                                       {IV_STR("session.timeout.ms"), IV_STR("5000")},
                                       {IV_STR("heartbeat.interval.ms"), IV_STR("200")},
                                       more == NULL ? (struct iv_property){IV_STR("client.id"), IV_STR("x")}
                                                    : *more};
    const struct iv_consumer_options options = {
        .properties = properties, .property_count = IV_COUNT(properties), .topics = {IV_STR("ledger")}};
    struct iv_consumer *c = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_consumer_open(&c, &options, &err)), "%s", err.text);
    return c;
}

Test(settings, ours_are_in_force)
{
    static const struct {
        const char *name;
        const char *want;
    } rows[] = {
        {"check.crcs", "true"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"fetch.wait.max.ms", "100"},
        {"fetch.min.bytes", "1"},
        {"queued.min.messages", "1000000"},
        {"queued.max.messages.kbytes", "262144"},
        {"socket.nagle.disable", "true"},
    };
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    const struct iv_property earliest = {IV_STR("auto.offset.reset"), IV_STR("earliest")};
    struct iv_consumer *c = consumer("127.0.0.1:1", &earliest);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char value[64] = "";
        size_t n = sizeof value;
        cr_expect(rd_kafka_conf_get(rd_kafka_conf(c->rk), rows[i].name, value, &n) == RD_KAFKA_CONF_OK);
        cr_expect(eq(str, value, (char *)(uintptr_t)rows[i].want), "%s", rows[i].name);
    }
    iv_consumer_close(c);
}

/* The time from the first record to the last of many that lie there; the consumer works on each batch. */
static iv_ns time_to_read(const char *queued)
{
    struct iv_embedded *embedded = broker();
    produce(embedded, MANY);
    const struct iv_property queue = {IV_STR("queued.min.messages"), iv_str_of(queued)};
    struct iv_consumer *c = consumer(iv_embedded_servers(embedded), &queue);
    size_t records = 0;
    iv_ns begun = 0;
    iv_ns opened = now();
    while (records < MANY && now() - opened < LONG_ENOUGH) {
        struct iv_batch batch;
        struct iv_err err;
        cr_assert(iv_ok(iv_consumer_poll(c, &batch, 50 * IV_NS_PER_MS, &err)), "%s", err.text);
        begun = records == 0 ? now() : begun;
        records += batch.count;
    }
    iv_ns took = now() - begun;
    cr_expect(eq(sz, records, (size_t)MANY));
    iv_consumer_close(c);
    iv_embedded_close(embedded);
    return took;
}

Test(settings, a_queue_that_is_full_stops_fetching_for_a_second_and_ours_is_not_full)
{
    iv_ns small = time_to_read("1000");
    iv_ns ours = time_to_read("1000000");
    for (int i = 1; i < ATTEMPTS && 3 * ours >= small; i++) {
        ours = time_to_read("1000000");
    }

    cr_expect(gt(i64, small, 3 * ours), "%.2f s against %.2f s", (double)small / 1e9, (double)ours / 1e9);
}

Test(settings, a_poll_does_not_wait_for_a_full_batch)
{
    struct iv_embedded *embedded = broker();
    produce(embedded, 1);
    struct iv_consumer *c = consumer(iv_embedded_servers(embedded), NULL);
    struct iv_batch batch = {.count = 0};
    struct iv_err err;
    iv_ns took = 0;
    while (batch.count == 0) {
        iv_ns asked = now();
        cr_assert(iv_ok(iv_consumer_poll(c, &batch, LONG_ENOUGH, &err)), "%s", err.text);
        took = now() - asked;
    }

    cr_expect(eq(sz, batch.count, 1));
    cr_expect(lt(i64, took, LONG_ENOUGH / 2), "it came when it was there");
    iv_consumer_close(c);
    iv_embedded_close(embedded);
}
