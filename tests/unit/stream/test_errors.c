/* SPDX-License-Identifier: Apache-2.0 */
/* What a broker's error codes do to a consumer and to a producer: each is answered by librdkafka's own broker
 * in the place of the real answer, and the reaction must be of the class that the table says. */
#include "base/guard.h"
#include "base/log.h"
#include "stream/assignment.h"
#include "stream/kafka.h"
#include "stream/producer.h"
#include "support/overdue.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

#define TIMES_MAX 8
#define ROWS_MAX 32
#define FIRST 10  /* records before the errors */
#define SECOND 10 /* and behind them */

/* Kafka's numbers of the requests. */
enum api {
    PRODUCE = 0,
    FETCH = 1,
    LIST_OFFSETS = 2,
    METADATA = 3,
    OFFSET_COMMIT = 8,
    OFFSET_FETCH = 9,
    FIND_COORDINATOR = 10,
    JOIN_GROUP = 11,
    HEARTBEAT = 12,
    SYNC_GROUP = 14,
    INIT_PRODUCER_ID = 22,
};

enum reaction {
    GOES_ON, /* the client mends it by itself; that it is told meanwhile does no harm */
    TOLD,    /* told in the health while it lasts, and waited for: somebody has to act */
    ENDS,    /* the call answers with a sentence, and the client must be made anew */
    STUCK,   /* never right */
};

static const char *const reaction_names[] = {"goes on", "told, and waits", "ends", "is stuck"};

struct row {
    rd_kafka_resp_err_t code;
    enum reaction want;
};

#define E(name) RD_KAFKA_RESP_ERR_##name

struct broker {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
};

static void broker_init(struct broker *b)
{
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    char text[256] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    cr_assert(b->rk != NULL, "%s", text);
    b->cluster = rd_kafka_mock_cluster_new(b->rk, 1);
    cr_assert(b->cluster != NULL);
    cr_assert(eq(int, (int)rd_kafka_mock_topic_create(b->cluster, "ledger", 1, 1), 0));
}

static void broker_deinit(struct broker *b)
{
    rd_kafka_mock_cluster_destroy(b->cluster);
    rd_kafka_destroy(b->rk);
}

static void answer_with(struct broker *b, enum api api, rd_kafka_resp_err_t code, size_t times)
{
    rd_kafka_resp_err_t codes[TIMES_MAX];
    for (size_t i = 0; i < times; i++) {
        codes[i] = code;
    }
    if (api == METADATA) {
        rd_kafka_mock_topic_set_error(b->cluster, "ledger", code);
    } else {
        rd_kafka_mock_push_request_errors_array(b->cluster, (int16_t)api, times, codes);
    }
}

static struct iv_str servers_of(const struct broker *b)
{
    return iv_str_of(rd_kafka_mock_cluster_bootstraps(b->cluster));
}

static void produce(const struct broker *b, int count)
{
    const struct iv_property servers = {IV_STR("bootstrap.servers"), servers_of(b)};
    const struct iv_producer_options options = {.properties = &servers, .property_count = 1};
    struct iv_producer *p = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_producer_open(&p, &options, &err)), "%s", err.text);
    for (int i = 0; i < count; i++) {
        const struct iv_message message = {.topic = IV_STR("ledger"), .value = IV_STR("{}")};
        cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
    iv_producer_close(p);
}

/* One consumer with its own broker, on its way through one row. */
struct trial {
    struct broker broker;
    struct iv_consumer *consumer;
    struct iv_consumer_health health;
    size_t records;
    int64_t next; /* where it goes on when its partition comes again */
    size_t gaps;
    bool struck; /* the errors are in place */
    bool told;
    bool ended;
    struct iv_err err;
};

static void trial_init(struct trial *t)
{
    *t = (struct trial){.ended = false};
    broker_init(&t->broker);
    produce(&t->broker, FIRST);
}

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    struct trial *t = ctx;
    (void)err;
    for (size_t i = 0; i < count && t->next > 0; i++) {
        positions[i].offset = t->next;
    }
    return IV_OK;
}

static void on_gap(void *ctx, const struct iv_cursor *at, int64_t next)
{
    (void)at;
    (void)next;
    ((struct trial *)ctx)->gaps++;
}

static void trial_open(struct trial *t)
{
    const struct iv_property properties[] = {{IV_STR("bootstrap.servers"), servers_of(&t->broker)},
                                             {IV_STR("fetch.wait.max.ms"), IV_STR("10")},
                                             {IV_STR("topic.metadata.refresh.interval.ms"), IV_STR("300")},
                                             {IV_STR("session.timeout.ms"), IV_STR("5000")},
                                             {IV_STR("heartbeat.interval.ms"), IV_STR("200")}};
    const struct iv_consumer_options options = {.properties = properties,
                                                .property_count = IV_COUNT(properties),
                                                .topics = {IV_STR("ledger")},
                                                .hooks = {.ctx = t, .assigned = on_assigned, .gap = on_gap}};
    cr_assert(iv_ok(iv_consumer_open(&t->consumer, &options, &t->err)), "%s", t->err.text);
}

static void trial_deinit(struct trial *t)
{
    iv_consumer_close(t->consumer);
    broker_deinit(&t->broker);
}

static void trial_poll(struct trial *t)
{
    struct iv_batch batch;
    if (t->ended) {
        return;
    }
    if (!iv_ok(iv_consumer_poll(t->consumer, &batch, IV_NS_PER_MS, &t->err))) {
        t->ended = true;
        return;
    }
    t->records += batch.count;
    t->next = batch.count > 0 ? batch.records[batch.count - 1].origin.offset + 1 : t->next;
    iv_consumer_health(t->consumer, &t->health);
    if (t->struck && t->health.trouble[0] != '\0' && !t->told) {
        t->told = true;
        memcpy(t->err.text, t->health.trouble,
               sizeof t->health.trouble < sizeof t->err.text ? sizeof t->health.trouble : sizeof t->err.text);
    }
}

/* A topic's error lasts until it was told, the others as often as was asked. A complaint may come behind the
 * last record, and stands until there is another one. */
static bool trial_over(struct trial *t, enum api api, const struct row *row, size_t want)
{
    if (api == METADATA && t->told) {
        rd_kafka_mock_topic_set_error(t->broker.cluster, "ledger", E(NO_ERROR));
    }
    bool through = t->records >= want;
    return t->ended || (through && (!t->struck || row->want == GOES_ON || (row->want == TOLD && t->told)));
}

static void run_all(struct trial *trials, enum api api, const struct row *rows, size_t count, size_t want)
{
    for (bool over = false; !over && !overdue();) {
        over = true;
        for (size_t i = 0; i < count; i++) {
            trial_poll(&trials[i]);
            over = trial_over(&trials[i], api, &rows[i], want) && over;
        }
    }
}

static void judge(const struct trial *t, const char *name, const struct row *row, size_t want)
{
    enum reaction seen = t->ended ? ENDS : (t->told ? TOLD : GOES_ON);
    seen = seen != ENDS && t->records < want ? STUCK : seen;
    printf("%-16s %-34s %-16s %s\n", name, rd_kafka_err2name(row->code), reaction_names[seen],
           seen == GOES_ON ? "" : t->err.text);
    cr_expect(seen == row->want || (seen == TOLD && row->want == GOES_ON), "%s %s %s: %s", name,
              rd_kafka_err2name(row->code), reaction_names[seen], t->err.text);
    if (seen == ENDS) {
        cr_expect(eq(int, (int)t->err.code, (int)IV_E_IO));
        cr_expect(strstr(t->err.text, "kafka: the consumer cannot go on: ") == t->err.text);
        cr_expect(row->code != E(FENCED_INSTANCE_ID) ||
                      strstr(t->err.text, "each process needs one of its own"),
                  "what to change: %s", t->err.text);
    } else {
        cr_expect(eq(sz, t->records, want), "%s %s: none is lost, none comes twice", name,
                  rd_kafka_err2name(row->code));
        cr_expect(eq(sz, t->gaps, 0), "%s %s: nothing is missing", name, rd_kafka_err2name(row->code));
    }
}

/* The errors stand there before the consumer begins. */
static void at_the_beginning(const char *name, enum api api, size_t times, const struct row *rows,
                             size_t count)
{
    struct trial trials[ROWS_MAX];
    for (size_t i = 0; i < count; i++) {
        trial_init(&trials[i]);
        answer_with(&trials[i].broker, api, rows[i].code, times);
        trials[i].struck = true;
        trial_open(&trials[i]);
    }
    run_all(trials, api, rows, count, FIRST);
    for (size_t i = 0; i < count; i++) {
        judge(&trials[i], name, &rows[i], FIRST);
        trial_deinit(&trials[i]);
    }
}

/* They come to a consumer that has read for a while. */
static void on_the_way(const char *name, enum api api, size_t times, const struct row *rows, size_t count)
{
    struct trial trials[ROWS_MAX];
    for (size_t i = 0; i < count; i++) {
        trial_init(&trials[i]);
        trial_open(&trials[i]);
    }
    run_all(trials, api, rows, count, FIRST);
    for (size_t i = 0; i < count; i++) {
        answer_with(&trials[i].broker, api, rows[i].code, times);
        trials[i].struck = true;
        produce(&trials[i].broker, SECOND);
    }
    run_all(trials, api, rows, count, FIRST + SECOND);
    for (size_t i = 0; i < count; i++) {
        judge(&trials[i], name, &rows[i], FIRST + SECOND);
        trial_deinit(&trials[i]);
    }
}

Test(errors, of_fetching)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(NOT_LEADER_FOR_PARTITION), GOES_ON},
        {E(LEADER_NOT_AVAILABLE), GOES_ON},
        {E(REPLICA_NOT_AVAILABLE), GOES_ON},
        {E(BROKER_NOT_AVAILABLE), GOES_ON},
        {E(KAFKA_STORAGE_ERROR), GOES_ON},
        {E(FENCED_LEADER_EPOCH), GOES_ON},
        {E(UNKNOWN_LEADER_EPOCH), GOES_ON},
        {E(OFFSET_NOT_AVAILABLE), GOES_ON},
        {E(UNKNOWN_TOPIC_OR_PART), GOES_ON},
        {E(REQUEST_TIMED_OUT), GOES_ON},
        {E(UNKNOWN), GOES_ON},
        {E(TOPIC_AUTHORIZATION_FAILED), TOLD},
        {E(INVALID_MSG), TOLD},
        {E(UNSUPPORTED_COMPRESSION_TYPE), TOLD},
    };
    on_the_way("Fetch", FETCH, 3, rows, IV_COUNT(rows));
}

Test(errors, of_asking_for_offsets)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(NOT_LEADER_FOR_PARTITION), GOES_ON},
        {E(LEADER_NOT_AVAILABLE), GOES_ON},
        {E(UNKNOWN_TOPIC_OR_PART), GOES_ON},
        {E(REQUEST_TIMED_OUT), GOES_ON},
        {E(KAFKA_STORAGE_ERROR), GOES_ON},
        {E(TOPIC_AUTHORIZATION_FAILED), TOLD},
        {E(UNSUPPORTED_FOR_MESSAGE_FORMAT), TOLD},
    };
    at_the_beginning("ListOffsets", LIST_OFFSETS, 2, rows, IV_COUNT(rows));
}

Test(errors, of_metadata)
{
    static const struct row rows[] = {
        {E(UNKNOWN_TOPIC_OR_PART), TOLD},
        {E(LEADER_NOT_AVAILABLE), GOES_ON},
        {E(TOPIC_AUTHORIZATION_FAILED), TOLD},
        {E(TOPIC_EXCEPTION), TOLD},
    };
    at_the_beginning("Metadata", METADATA, 1, rows, IV_COUNT(rows));
}

Test(errors, of_finding_the_coordinator)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(COORDINATOR_NOT_AVAILABLE), GOES_ON},
        {E(COORDINATOR_LOAD_IN_PROGRESS), GOES_ON},
        {E(REQUEST_TIMED_OUT), GOES_ON},
        {E(GROUP_AUTHORIZATION_FAILED), TOLD},
        {E(INVALID_GROUP_ID), TOLD},
    };
    at_the_beginning("FindCoordinator", FIND_COORDINATOR, 2, rows, IV_COUNT(rows));
}

Test(errors, of_joining_the_group)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(NOT_COORDINATOR), GOES_ON},
        {E(COORDINATOR_NOT_AVAILABLE), GOES_ON},
        {E(COORDINATOR_LOAD_IN_PROGRESS), GOES_ON},
        {E(REBALANCE_IN_PROGRESS), GOES_ON},
        {E(UNKNOWN_MEMBER_ID), GOES_ON},
        {E(ILLEGAL_GENERATION), GOES_ON},
        {E(INCONSISTENT_GROUP_PROTOCOL), TOLD},
        {E(INVALID_SESSION_TIMEOUT), TOLD},
        {E(GROUP_AUTHORIZATION_FAILED), TOLD},
        {E(GROUP_MAX_SIZE_REACHED), TOLD},
        {E(FENCED_INSTANCE_ID), ENDS},
    };
    at_the_beginning("JoinGroup", JOIN_GROUP, 2, rows, IV_COUNT(rows));
}

Test(errors, of_taking_the_assignment)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(NOT_COORDINATOR), GOES_ON},
        {E(COORDINATOR_NOT_AVAILABLE), GOES_ON},
        {E(REBALANCE_IN_PROGRESS), GOES_ON},
        {E(UNKNOWN_MEMBER_ID), GOES_ON},
        {E(ILLEGAL_GENERATION), GOES_ON},
        {E(GROUP_AUTHORIZATION_FAILED), GOES_ON}, /* by joining again, where it would be told */
        {E(FENCED_INSTANCE_ID), ENDS},
    };
    at_the_beginning("SyncGroup", SYNC_GROUP, 1, rows, IV_COUNT(rows));
}

Test(errors, of_the_heartbeat)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(NOT_COORDINATOR), GOES_ON},
        {E(COORDINATOR_NOT_AVAILABLE), GOES_ON},
        {E(REBALANCE_IN_PROGRESS), GOES_ON},
        {E(UNKNOWN_MEMBER_ID), GOES_ON},
        {E(ILLEGAL_GENERATION), GOES_ON},
        {E(GROUP_AUTHORIZATION_FAILED), GOES_ON},
        {E(FENCED_INSTANCE_ID), ENDS},
    };
    on_the_way("Heartbeat", HEARTBEAT, 1, rows, IV_COUNT(rows));
}

Test(errors, of_looking_up_the_committed_offset)
{
    static const struct row rows[] = {
        {E(_TRANSPORT), GOES_ON},
        {E(NOT_COORDINATOR), GOES_ON},
        {E(COORDINATOR_LOAD_IN_PROGRESS), GOES_ON},
        {E(UNSTABLE_OFFSET_COMMIT), GOES_ON},
        {E(GROUP_AUTHORIZATION_FAILED), TOLD},
        {E(TOPIC_AUTHORIZATION_FAILED), TOLD},
    };
    at_the_beginning("OffsetFetch", OFFSET_FETCH, 2, rows, IV_COUNT(rows));
}

/* What one commit with an answer awaited comes to. */
Test(errors, of_committing_offsets)
{
    static const struct {
        rd_kafka_resp_err_t code;
        bool committed; /* the client asks again by itself */
    } rows[] = {
        {E(COORDINATOR_LOAD_IN_PROGRESS), true},
        {E(NOT_COORDINATOR), true},
        {E(COORDINATOR_NOT_AVAILABLE), true},
        {E(_TRANSPORT), true},
        {E(REQUEST_TIMED_OUT), true},
        {E(REBALANCE_IN_PROGRESS), false},
        {E(ILLEGAL_GENERATION), false},
        {E(UNKNOWN_MEMBER_ID), false},
        {E(OFFSET_METADATA_TOO_LARGE), false},
        {E(INVALID_COMMIT_OFFSET_SIZE), false},
        {E(TOPIC_AUTHORIZATION_FAILED), false},
        {E(GROUP_AUTHORIZATION_FAILED), false},
    };
    static const struct row reading[ROWS_MAX] = {{E(NO_ERROR), GOES_ON}};
    struct trial t;
    trial_init(&t);
    trial_open(&t);
    run_all(&t, OFFSET_COMMIT, reading, 1, FIRST);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_cursor next = {IV_LEDGER, 0, (int64_t)i + 1};
        struct iv_err err = {.text = ""};
        answer_with(&t.broker, OFFSET_COMMIT, rows[i].code, 1);

        struct iv_rc_s rc = iv_consumer_commit(t.consumer, &next, 1, true, &err);

        printf("%-16s %-34s %-16s %s\n", "OffsetCommit", rd_kafka_err2name(rows[i].code),
               iv_ok(rc) ? "goes on" : "told, try again", iv_ok(rc) ? "" : err.text);
        cr_expect(eq(int, (int)rc.code, (int)(rows[i].committed ? IV_CODE_OK : IV_E_BROKER)), "%s: %s",
                  rd_kafka_err2name(rows[i].code), err.text);
        rd_kafka_mock_clear_request_errors(t.broker.cluster, OFFSET_COMMIT);
        /* Only while partitions are ours, as the daemon does: one that fails for its generation has us join
         * again, and another meanwhile would disturb that. */
        do {
            trial_poll(&t);
        } while (!overdue() &&
                 (!t.health.assigned || !iv_ok(iv_consumer_commit(t.consumer, &next, 1, true, &err))));
        cr_expect(not(overdue()), "a later one makes up for it: %s", err.text);
    }
    trial_deinit(&t);
}

struct reports {
    size_t delivered;
    size_t failed;
    struct iv_err last;
};

static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct reports *reports = ctx;
    (void)ticket;
    if (failure == NULL) {
        reports->delivered++;
    } else {
        reports->failed++;
        reports->last = *failure;
    }
}

/* How a producer's message ends. */
struct ending {
    rd_kafka_resp_err_t code;
    enum iv_code want; /* IV_CODE_OK: delivered by the client's own trying again */
};

/* Sends a message, and another behind it. IV_E_IO: the producer is done for. */
static void send_under(const char *name, enum api api, size_t times, const struct ending *row)
{
    struct broker broker;
    broker_init(&broker);
    struct reports reports = {0};
    const struct iv_property properties[] = {{IV_STR("bootstrap.servers"), servers_of(&broker)},
                                             {IV_STR("message.timeout.ms"), IV_STR("8000")},
                                             {IV_STR("topic.metadata.refresh.interval.ms"), IV_STR("300")},
                                             {IV_STR("retry.backoff.ms"), IV_STR("50")}};
    const struct iv_producer_options options = {.properties = properties,
                                                .property_count = IV_COUNT(properties),
                                                .report = on_report,
                                                .ctx = &reports};
    const struct iv_message message = {.topic = IV_STR("ledger"), .value = IV_STR("{}")};
    struct iv_producer *p = NULL;
    struct iv_err err = {.text = ""};
    answer_with(&broker, api, row->code, times);
    cr_assert(iv_ok(iv_producer_open(&p, &options, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_producer_send(p, &message, &err)), "%s", err.text);
    while (reports.delivered + reports.failed == 0 && !overdue()) {
        (void)iv_producer_poll(p, 50 * IV_NS_PER_MS);
    }

    enum iv_code code = reports.failed > 0 ? reports.last.code : IV_CODE_OK;
    printf("%-16s %-34s %-16s %s\n", name, rd_kafka_err2name(row->code),
           code == IV_CODE_OK ? "goes on" : iv_code_name(code), reports.last.text);
    cr_expect(eq(sz, reports.delivered + reports.failed, 1));
    cr_expect(eq(int, (int)code, (int)row->want), "%s %s: %s", name, rd_kafka_err2name(row->code),
              reports.last.text);
    if (row->want == IV_E_IO) {
        cr_expect(eq(int, (int)iv_producer_send(p, &message, &err).code, (int)IV_E_IO), "%s", err.text);
    } else {
        /* A topic that was refused is refused at once, until the client has asked again. */
        while (!iv_ok(iv_producer_send(p, &message, &err)) && !overdue()) {
            (void)iv_producer_poll(p, 50 * IV_NS_PER_MS);
        }
        cr_expect(iv_ok(iv_producer_flush(p, LONG_ENOUGH, &err)), "%s", err.text);
        cr_expect(eq(sz, reports.delivered, code == IV_CODE_OK ? 2 : 1), "%s: the next one gets through",
                  rd_kafka_err2name(row->code));
    }
    iv_producer_close(p);
    broker_deinit(&broker);
}

Test(errors, of_producing)
{
    static const struct ending rows[] = {
        {E(_TRANSPORT), IV_CODE_OK},
        {E(NOT_LEADER_FOR_PARTITION), IV_CODE_OK},
        {E(LEADER_NOT_AVAILABLE), IV_CODE_OK},
        {E(NOT_ENOUGH_REPLICAS), IV_CODE_OK},
        {E(NOT_ENOUGH_REPLICAS_AFTER_APPEND), IV_CODE_OK},
        {E(REQUEST_TIMED_OUT), IV_CODE_OK},
        {E(KAFKA_STORAGE_ERROR), IV_CODE_OK},
        {E(UNKNOWN_TOPIC_OR_PART), IV_CODE_OK},
        {E(DUPLICATE_SEQUENCE_NUMBER), IV_CODE_OK},
        {E(UNKNOWN_PRODUCER_ID), IV_CODE_OK},
        {E(MSG_SIZE_TOO_LARGE), IV_E_LIMIT},
        {E(RECORD_LIST_TOO_LARGE), IV_E_LIMIT},
        {E(INVALID_MSG), IV_E_MALFORMED},
        {E(INVALID_RECORD), IV_E_MALFORMED},
        {E(TOPIC_EXCEPTION), IV_E_MALFORMED},
        {E(TOPIC_AUTHORIZATION_FAILED), IV_E_BROKER},
        {E(POLICY_VIOLATION), IV_E_BROKER},
        {E(CLUSTER_AUTHORIZATION_FAILED), IV_E_BROKER},
        {E(OUT_OF_ORDER_SEQUENCE_NUMBER), IV_E_IO},
        {E(INVALID_PRODUCER_EPOCH), IV_E_BROKER},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        send_under("Produce", PRODUCE, 1, &rows[i]);
    }
}

Test(errors, of_becoming_a_producer)
{
    static const struct ending rows[] = {
        {E(_TRANSPORT), IV_CODE_OK},
        {E(COORDINATOR_LOAD_IN_PROGRESS), IV_CODE_OK},
        {E(COORDINATOR_NOT_AVAILABLE), IV_CODE_OK},
        {E(NOT_COORDINATOR), IV_CODE_OK},
        {E(REQUEST_TIMED_OUT), IV_CODE_OK},
        {E(CLUSTER_AUTHORIZATION_FAILED), IV_E_IO},
        {E(UNSUPPORTED_VERSION), IV_CODE_OK},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        send_under("InitProducerId", INIT_PRODUCER_ID, 1, &rows[i]);
    }
}

/* Polls until the library has asked for this and was not answered yet. */
static void poll_until_noted(struct trial *t, int kind)
{
    while ((int)t->consumer->rebalance.kind != kind) {
        cr_assert(not(overdue()), "the rebalance did not come");
        trial_poll(t);
        cr_assert(not(t->ended), "%s", t->err.text);
    }
}

Test(errors, closing_does_not_hang_while_partitions_are_to_be_taken)
{
    struct trial t;
    trial_init(&t);
    answer_with(&t.broker, OFFSET_FETCH, E(GROUP_AUTHORIZATION_FAILED), TIMES_MAX);
    trial_open(&t);
    poll_until_noted(&t, IV_REBALANCE_ASSIGN);
    trial_deinit(&t);
}

Test(errors, closing_does_not_hang_while_partitions_are_to_be_given_back)
{
    struct trial t;
    trial_init(&t);
    trial_open(&t);
    while (t.records < FIRST) {
        cr_assert(not(overdue()), "the records did not come");
        trial_poll(&t);
    }
    answer_with(&t.broker, HEARTBEAT, E(ILLEGAL_GENERATION), 1);
    poll_until_noted(&t, IV_REBALANCE_REVOKE);
    trial_deinit(&t);
}
