/* SPDX-License-Identifier: Apache-2.0 */
/* The way of the exchange's packets over a real broker: the topic is made as it must be, packets come to the
 * partition of their share, in order, and what is acknowledged is there. with_kafka sets the environment. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/exchange_post.h"
#include "stream/kafka.h"
#include "stream/topic_make.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONG_ENOUGH (60 * IV_NS_PER_S)
#define PARTITIONS 4
#define PACKETS 400

static struct iv_property properties[2];
static struct iv_err err;

static void setup(void)
{
    const char *servers = getenv("KAFKA_BOOTSTRAP");
    cr_assert(servers != NULL, "KAFKA_BOOTSTRAP is not set: run this by tests/broker/with_kafka");
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    properties[0] = (struct iv_property){IV_STR("bootstrap.servers"), iv_str_of(servers)};
    properties[1] = (struct iv_property){IV_STR("group.id"), IV_STR("exchange")};
}

TestSuite(exchange, .init = setup);

static struct iv_post_options options_of(const char *topic)
{
    return (struct iv_post_options){.kafka = properties, .kafka_count = 1, .topic = iv_str_of(topic)};
}

static void prepare(const struct iv_post_options *options)
{
    cr_assert(iv_ok(iv_post_prepare(options, PARTITIONS, LONG_ENOUGH, &err)), "%s", err.text);
}

Test(exchange, the_topic_is_made_once_and_then_taken_as_it_is)
{
    const struct iv_post_options options = options_of("made");
    prepare(&options);
    prepare(&options);
    cr_expect(iv_post_prepare(&options, PARTITIONS + 1, LONG_ENOUGH, &err).code == IV_E_REFUSED);
    cr_expect(strstr(err.text, "the topic 'made' has 4 partitions, and the streams' topics have 5") != NULL,
              "%s", err.text);
}

static iv_rc from_the_beginning(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *why)
{
    (void)ctx;
    (void)why;
    for (size_t i = 0; i < count; i++) {
        positions[i].offset = IV_OFFSET_BEGINNING;
    }
    return IV_OK;
}

/* Every packet says its share and its number there. */
static void read_all(const char *topic)
{
    const struct iv_consumer_options options = {.properties = properties,
                                                .property_count = 2,
                                                .topics = {[IV_LEDGER] = iv_str_of(topic)},
                                                .hooks = {.assigned = from_the_beginning}};
    struct iv_consumer *c = NULL;
    struct iv_clock clock = iv_clock_system();
    iv_ns until = iv_monotonic(&clock) + LONG_ENOUGH;
    long next[PARTITIONS] = {0};
    size_t seen = 0;
    cr_assert(iv_ok(iv_consumer_open(&c, &options, &err)), "%s", err.text);
    while (seen < PACKETS) {
        struct iv_batch batch;
        cr_assert(iv_monotonic(&clock) < until, "%zu packets came of %d", seen, PACKETS);
        cr_assert(iv_ok(iv_consumer_poll(c, &batch, 50 * IV_NS_PER_MS, &err)), "%s", err.text);
        for (size_t i = 0; i < batch.count; i++, seen++) {
            const struct iv_record *r = &batch.records[i];
            long share = strtol(r->bytes.p, NULL, 10);
            cr_assert(share == r->origin.partition, "share %ld came to partition %d", share,
                      r->origin.partition);
            cr_expect(strtol(strchr(r->bytes.p, ' '), NULL, 10) == next[share]++);
        }
    }
    iv_consumer_close(c);
}

Test(exchange, packets_come_to_their_share_in_order_and_are_counted_until_acknowledged)
{
    const struct iv_post_options options = options_of("sent");
    struct iv_post *post = NULL;
    prepare(&options);
    cr_assert(iv_ok(iv_post_open(&post, &options, &err)), "%s", err.text);
    for (int i = 0; i < PACKETS; i++) {
        char text[64];
        int n = snprintf(text, sizeof text, "%d %d ", i % PARTITIONS, i / PARTITIONS);
        cr_assert(
            iv_ok(iv_post_send(post, 7, (uint32_t)(i % PARTITIONS), (struct iv_str){text, (size_t)n}, &err)));
    }
    cr_expect(iv_post_pending(post, 7) > 0);
    cr_expect(iv_post_pending(post, 6) == 0);
    cr_assert(iv_ok(iv_post_settle(post, 7, LONG_ENOUGH, &err)), "%s", err.text);
    cr_expect(iv_post_pending(post, 7) == 0);
    cr_expect(iv_ok(iv_post_poll(post, &err)));
    iv_post_close(post);

    read_all("sent");
}

Test(exchange, a_packet_far_above_the_brokers_usual_limit_arrives)
{
    const struct iv_post_options options = options_of("large");
    struct iv_post *post = NULL;
    size_t n = (size_t)8 << 20;
    char *large = iv_calloc(n, 1);
    prepare(&options);
    cr_assert(iv_ok(iv_post_open(&post, &options, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_post_send(post, 0, 1, (struct iv_str){large, n}, &err)));
    cr_expect(iv_ok(iv_post_settle(post, 0, LONG_ENOUGH, &err)), "%s", err.text);
    iv_post_close(post);
    iv_free(large);
}

Test(exchange, a_packet_that_the_broker_refuses_is_told_by_every_call)
{
    static const struct iv_topic_setting small[] = {{"max.message.bytes", "1000"}};
    const struct iv_topic_plan plan = {
        .name = IV_STR("small"), .partitions = PARTITIONS, .settings = small, .setting_count = 1};
    const struct iv_post_options options = options_of("small");
    struct iv_post *post = NULL;
    char *large = iv_calloc(5000, 1);
    int32_t width = 0;
    cr_assert(iv_ok(iv_topic_make(&width, properties, 1, &plan, LONG_ENOUGH, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_post_open(&post, &options, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_post_send(post, 3, 1, (struct iv_str){large, 5000}, &err)));
    cr_expect(!iv_ok(iv_post_settle(post, 3, LONG_ENOUGH, &err)));
    cr_expect(strstr(err.text, "partition 3 of the streams: a packet of the exchange") != NULL, "%s",
              err.text);
    cr_expect(strstr(err.text, "max.message.bytes should be") != NULL, "%s", err.text);
    cr_expect(!iv_ok(iv_post_poll(post, &err)));
    cr_expect(!iv_ok(iv_post_send(post, 0, 0, IV_STR("x"), &err)));
    iv_post_close(post);
    iv_free(large);
}
