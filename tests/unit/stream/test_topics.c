/* SPDX-License-Identifier: Apache-2.0 */
/* One partition number in all topics, and where partitions end. Against the embedded broker. */
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/embedded.h"
#include "stream/ends.h"
#include "stream/kafka.h"
#include "stream/producer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define LONG_ENOUGH (120 * IV_NS_PER_S)
#define WIDTH 4

static struct iv_embedded *broker(int ledger, int telemetry)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    const struct iv_embedded_topic topics[] = {{"ledger", ledger}, {"telemetry", telemetry}};
    struct iv_embedded *embedded = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_embedded_open(&embedded, 1, topics, IV_COUNT(topics), &err)), "%s", err.text);
    return embedded;
}

/* Whose a partition of a stream is, as the hooks say. */
struct member {
    bool has[IV_STREAMS][WIDTH];
    size_t count;
    size_t calls;
    struct iv_consumer *consumer;
};

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    struct member *m = ctx;
    (void)err;
    m->calls++;
    for (size_t i = 0; i < count; i++) {
        m->has[positions[i].stream][positions[i].partition] = true;
        m->count++;
    }
    return IV_OK;
}

static void on_revoked(void *ctx, const struct iv_cursor *positions, size_t count, bool lost)
{
    struct member *m = ctx;
    (void)lost;
    for (size_t i = 0; i < count; i++) {
        m->has[positions[i].stream][positions[i].partition] = false;
        m->count--;
    }
}

static void join_as(struct member *m, const char *servers, const char *strategy, bool alone)
{
    const struct iv_property properties[] = {
        {IV_STR("bootstrap.servers"), iv_str_of(servers)},
        {IV_STR("group.id"), IV_STR("test")},
        {IV_STR("fetch.wait.max.ms"), IV_STR("10")},
        /* The embedded broker forms a group within 3 s, and rebalances within this. */
        {IV_STR("session.timeout.ms"), IV_STR("5000")},
        {IV_STR("heartbeat.interval.ms"), IV_STR("200")},
        {IV_STR("partition.assignment.strategy"), iv_str_of(strategy)}};
    const struct iv_consumer_options options = {
        .properties = properties,
        .property_count = IV_COUNT(properties),
        .topics = {IV_STR("ledger"), IV_STR("telemetry")},
        .alone = alone,
        .hooks = {.ctx = m, .assigned = on_assigned, .revoked = on_revoked}};
    struct iv_err err;
    cr_assert(iv_ok(iv_consumer_open(&m->consumer, &options, &err)), "%s", err.text);
}

static void join(struct member *m, const char *servers, const char *strategy)
{
    join_as(m, servers, strategy, false);
}

static void poll_once(struct member *m)
{
    struct iv_batch batch;
    struct iv_err err;
    cr_assert(iv_ok(iv_consumer_poll(m->consumer, &batch, 20 * IV_NS_PER_MS, &err)), "%s", err.text);
}

static void check_pairs(const struct member *m)
{
    for (int p = 0; p < WIDTH; p++) {
        cr_expect(m->has[IV_LEDGER][p] == m->has[IV_TELEMETRY][p], "partition %d of one stream alone", p);
    }
}

static void partitions_come_in_pairs(const char *strategy)
{
    struct iv_embedded *embedded = broker(WIDTH, WIDTH);
    struct member a = {.count = 0};
    struct member b = {.count = 0};
    struct iv_clock clock = iv_clock_system();
    iv_ns late = iv_monotonic(&clock) + LONG_ENOUGH;

    join(&a, iv_embedded_servers(embedded), strategy);
    join(&b, iv_embedded_servers(embedded), strategy);
    while (a.count != WIDTH || b.count != WIDTH) {
        poll_once(&a);
        poll_once(&b);
        check_pairs(&a);
        check_pairs(&b);
        cr_assert(lt(i64, iv_monotonic(&clock), late), "two members share %zu and %zu", a.count, b.count);
    }

    for (int p = 0; p < WIDTH; p++) {
        cr_expect(a.has[IV_LEDGER][p] != b.has[IV_LEDGER][p], "partition %d has one owner", p);
    }
    cr_expect(eq(int, iv_consumer_width(a.consumer), WIDTH));
    iv_consumer_close(b.consumer);
    iv_consumer_close(a.consumer);
    iv_embedded_close(embedded);
}

Test(topics, a_partition_of_both_streams_has_one_owner)
{
    partitions_come_in_pairs("range");
}

Test(topics, a_partition_of_both_streams_has_one_owner_under_the_round_robin)
{
    partitions_come_in_pairs("roundrobin");
}

Test(topics, a_partition_of_both_streams_has_one_owner_under_the_cooperative_protocol)
{
    partitions_come_in_pairs("cooperative-sticky");
}

Test(topics, of_members_that_read_alone_one_has_all_partitions_until_it_goes)
{
    struct iv_embedded *embedded = broker(WIDTH, WIDTH);
    struct member members[2] = {{.count = 0}, {.count = 0}};
    struct iv_clock clock = iv_clock_system();
    iv_ns late = iv_monotonic(&clock) + LONG_ENOUGH;

    for (size_t i = 0; i < 2; i++) {
        join_as(&members[i], iv_embedded_servers(embedded), "cooperative-sticky", true);
    }
    while (members[0].calls == 0 || members[1].calls == 0 || members[0].count + members[1].count == 0) {
        poll_once(&members[0]);
        poll_once(&members[1]);
        cr_assert(lt(i64, iv_monotonic(&clock), late), "%zu and %zu", members[0].count, members[1].count);
        cr_expect(members[0].count == 0 || members[1].count == 0, "one alone");
    }
    struct member *has = members[0].count > 0 ? &members[0] : &members[1];
    struct member *waits = &members[members[0].count > 0];
    cr_expect(eq(sz, has->count, 2 * WIDTH));
    iv_consumer_close(has->consumer);
    while (waits->count < 2 * WIDTH) {
        poll_once(waits);
        cr_assert(lt(i64, iv_monotonic(&clock), late), "the one that is left has %zu", waits->count);
    }

    iv_consumer_close(waits->consumer);
    iv_embedded_close(embedded);
}

Test(topics, of_different_width_are_refused_with_both_figures)
{
    struct iv_embedded *embedded = broker(2, 3);
    struct member m = {.count = 0};
    struct iv_clock clock = iv_clock_system();
    iv_ns late = iv_monotonic(&clock) + LONG_ENOUGH;
    struct iv_batch batch;
    struct iv_err err = {.text = ""};

    join(&m, iv_embedded_servers(embedded), "range");
    struct iv_rc_s rc = IV_OK;
    while (iv_ok(rc) && iv_monotonic(&clock) < late) {
        rc = iv_consumer_poll(m.consumer, &batch, 20 * IV_NS_PER_MS, &err);
    }

    cr_assert(eq(int, rc.code, IV_E_REFUSED));
    cr_expect(strstr(err.text, "'ledger' has 2 partitions and 'telemetry' has 3") != NULL, "%s", err.text);
    cr_expect(eq(sz, m.calls, 0), "nothing was assigned");
    iv_consumer_close(m.consumer);
    iv_embedded_close(embedded);
}

static void produce(const struct iv_property *servers, const char *topic, int32_t partition, int count)
{
    const struct iv_producer_options options = {.properties = servers, .property_count = 1};
    struct iv_producer *p = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_open(&p, &options, &err)), "%s", err.text);
    for (int i = 0; i < count; i++) {
        const struct iv_message message = {
            .topic = iv_str_of(topic), .value = IV_STR("{}"), .partition = &partition};
        cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    iv_producer_close(p);
}

Test(topics, the_ends_of_partitions_are_told)
{
    struct iv_embedded *embedded = broker(2, 2);
    const struct iv_property servers = {IV_STR("bootstrap.servers"),
                                        iv_str_of(iv_embedded_servers(embedded))};
    const struct iv_str topics[IV_STREAMS] = {IV_STR("ledger"), IV_STR("telemetry")};
    struct iv_ends *ends = NULL;
    struct iv_err err;
    produce(&servers, "ledger", 1, 7);
    cr_assert(iv_ok(iv_ends_open(&ends, &servers, 1, topics, &err)), "%s", err.text);

    struct iv_cursor at[] = {{IV_LEDGER, 0, -5}, {IV_LEDGER, 1, -5}, {IV_TELEMETRY, 1, -5}};
    cr_assert(iv_ok(iv_ends_ask(ends, at, IV_COUNT(at), LONG_ENOUGH, &err)), "%s", err.text);

    cr_expect(eq(i64, at[0].offset, 0));
    cr_expect(eq(i64, at[1].offset, 7));
    cr_expect(eq(i64, at[2].offset, 0));
    iv_ends_close(ends);
    iv_embedded_close(embedded);
}

Test(topics, ends_that_nobody_tells_are_an_error)
{
    struct iv_embedded *embedded = broker(1, 1);
    const struct iv_property servers = {IV_STR("bootstrap.servers"),
                                        iv_str_of(iv_embedded_servers(embedded))};
    const struct iv_str topics[IV_STREAMS] = {IV_STR("ledger"), IV_STR("telemetry")};
    struct iv_ends *ends = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_embedded_set_down(embedded, true, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_ends_open(&ends, &servers, 1, topics, &err)), "%s", err.text);

    struct iv_cursor at = {IV_LEDGER, 0, 0};
    struct iv_rc_s rc = iv_ends_ask(ends, &at, 1, 200 * IV_NS_PER_MS, &err);

    cr_expect(eq(int, rc.code, IV_E_BROKER));
    iv_ends_close(ends);
    iv_embedded_close(embedded);
}
