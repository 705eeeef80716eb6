/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/assignment.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"

#include <stdio.h>

/* How long one question to the broker may hold up a poll; it is asked again at the next. */
#define ASK_MS 1000

bool iv_consumer_stream_of(enum iv_stream *out, const struct iv_consumer *consumer, const char *topic)
{
    for (size_t s = 0; s < IV_STREAMS; s++) {
        if (consumer->topics[s] != NULL && strcmp(consumer->topics[s], topic) == 0) {
            *out = (enum iv_stream)s;
            return true;
        }
    }
    return false;
}

static bool is_at(const struct iv_consumer *consumer, const struct iv_partition *p, const char *topic,
                  int32_t partition)
{
    return p->at.partition == partition && strcmp(consumer->topics[p->at.stream], topic) == 0;
}

struct iv_partition *iv_consumer_find(struct iv_consumer *consumer, const char *topic, int32_t partition)
{
    if (consumer->last < consumer->partition_count &&
        is_at(consumer, &consumer->partitions[consumer->last], topic, partition)) {
        return &consumer->partitions[consumer->last];
    }
    for (size_t i = 0; i < consumer->partition_count; i++) {
        if (is_at(consumer, &consumer->partitions[i], topic, partition)) {
            consumer->last = i;
            return &consumer->partitions[i];
        }
    }
    return NULL;
}

static void forget(struct iv_rebalance *rebalance)
{
    if (rebalance->list != NULL) {
        rd_kafka_topic_partition_list_destroy(rebalance->list);
    }
    *rebalance = (struct iv_rebalance){.kind = IV_REBALANCE_NONE};
}

static bool cooperative(const struct iv_consumer *consumer)
{
    const char *protocol = rd_kafka_rebalance_protocol(consumer->rk);
    return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

/* Answers the library's rebalance, by the protocol that the group has agreed on; list
 * NULL: nothing is ours. */
static iv_rc answer(struct iv_consumer *consumer, bool assign, rd_kafka_topic_partition_list_t *list,
                    struct iv_err *err)
{
    if (cooperative(consumer) && list != NULL) {
        rd_kafka_error_t *error = assign ? rd_kafka_incremental_assign(consumer->rk, list)
                                         : rd_kafka_incremental_unassign(consumer->rk, list);
        if (error != NULL) {
            struct iv_rc_s rc = iv_err_set(err, IV_E_IO, "kafka: partitions cannot be %s: %s",
                                           assign ? "assigned" : "given back", rd_kafka_error_string(error));
            rd_kafka_error_destroy(error);
            return rc;
        }
        return IV_OK;
    }
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer->rk, assign ? list : NULL);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_IO, "kafka: partitions cannot be %s: %s",
           assign ? "assigned" : "given back", rd_kafka_err2str(error));
    return IV_OK;
}

static void add_of_all_topics(const struct iv_consumer *consumer, rd_kafka_topic_partition_list_t *list,
                              int32_t partition)
{
    for (size_t s = 0; s < IV_STREAMS; s++) {
        if (consumer->topics[s] != NULL) {
            (void)rd_kafka_topic_partition_list_add(list, consumer->topics[s], partition);
        }
    }
}

/* What comes and goes with the partitions that the group names, in all topics. */
static rd_kafka_topic_partition_list_t *companions(const struct iv_consumer *consumer,
                                                   const rd_kafka_topic_partition_list_t *named)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(named->cnt * IV_STREAMS);
    for (int i = 0; i < named->cnt; i++) {
        add_of_all_topics(consumer, list, named->elems[i].partition);
    }
    return list;
}

static rd_kafka_topic_partition_list_t *all_of_ours(const struct iv_consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)consumer->partition_count);
    for (size_t i = 0; i < consumer->partition_count; i++) {
        const struct iv_cursor *at = &consumer->partitions[i].at;
        (void)rd_kafka_topic_partition_list_add(list, consumer->topics[at->stream], at->partition);
    }
    return list;
}

/* The group hands the first partition to one member: to that one all of them belong. What the group gave to
 * others is read by nobody else, and the broker takes any member's word for how far it is read. */
static rd_kafka_topic_partition_list_t *all_or_none(const struct iv_consumer *consumer, bool assign,
                                                    const rd_kafka_topic_partition_list_t *named)
{
    if (!assign) {
        return all_of_ours(consumer);
    }
    bool first = false;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(consumer->width * IV_STREAMS);
    for (int i = 0; i < named->cnt; i++) {
        first = first || named->elems[i].partition == 0;
    }
    for (int32_t p = 0; first && p < consumer->width; p++) {
        add_of_all_topics(consumer, list, p);
    }
    return list;
}

void iv_rebalance_note(rd_kafka_t *rk, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list,
                       void *opaque)
{
    struct iv_consumer *consumer = opaque;
    forget(&consumer->rebalance);
    if (consumer->closing) {
        struct iv_err why;
        if (!iv_ok(answer(consumer, false, list, &why))) {
            LOG_WARN("kafka.rebalance_failed", KV_TEXT("text", why.text));
        }
    } else if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ||
               error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        bool assign = error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        consumer->rebalance = (struct iv_rebalance){
            .kind = assign ? IV_REBALANCE_ASSIGN : IV_REBALANCE_REVOKE,
            .list = consumer->alone ? all_or_none(consumer, assign, list) : companions(consumer, list),
            .lost = rd_kafka_assignment_lost(rk) != 0,
        };
    } else {
        LOG_WARN("kafka.rebalance_failed", KV_TEXT("text", rd_kafka_err2str(error)));
        (void)rd_kafka_assign(rk, NULL);
    }
    /* Back to the application before anything else is taken from the queue. */
    rd_kafka_yield(rk);
}

static iv_rc make_room(struct iv_consumer *consumer, size_t more, struct iv_err *err)
{
    size_t need = consumer->partition_count + more;
    if (need <= consumer->partition_room) {
        return IV_OK;
    }
    struct iv_partition *partitions = iv_realloc(consumer->partitions, need * sizeof *partitions);
    ENSURE(partitions != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", need);
    consumer->partitions = partitions;
    consumer->partition_room = need;
    struct iv_cursor *ends = iv_realloc(consumer->ends, need * sizeof *ends);
    ENSURE(ends != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", need);
    consumer->ends = ends;
    return IV_OK;
}

/* Asks the application where to begin, and enters the partitions into the table. */
static iv_rc place(struct iv_consumer *consumer, struct iv_err *err)
{
    rd_kafka_topic_partition_list_t *list = consumer->rebalance.list;
    size_t count = (size_t)list->cnt;
    TRY(make_room(consumer, count, err));
    IV_AUTO(iv_freep) struct iv_cursor *positions = iv_calloc(count + 1, sizeof *positions);
    ENSURE(positions != NULL, err, IV_E_NOMEM, "cannot allocate %zu positions", count);
    for (size_t i = 0; i < count; i++) {
        IV_CHECK(iv_consumer_stream_of(&positions[i].stream, consumer, list->elems[i].topic));
        ENSURE(list->elems[i].partition < consumer->width, err, IV_E_REFUSED,
               "the topic '%s' has a partition %d, and there were %d when it was first seen; a tenant's "
               "records would "
               "stand in two of them, so another number takes other topics",
               list->elems[i].topic, list->elems[i].partition, consumer->width);
        positions[i].partition = list->elems[i].partition;
        positions[i].offset = IV_OFFSET_COMMITTED;
    }
    if (consumer->hooks.assigned != NULL) {
        TRY(consumer->hooks.assigned(consumer->hooks.ctx, positions, count, err));
    }
    for (size_t i = 0; i < count; i++) {
        list->elems[i].offset = positions[i].offset;
        consumer->partitions[consumer->partition_count++] = (struct iv_partition){.at = positions[i]};
        LOG_INFO("kafka.partition.assigned", KV_TEXT("topic", list->elems[i].topic),
                 KV_I64("partition", positions[i].partition), KV_I64("offset", positions[i].offset));
    }
    consumer->rebalance.placed = true;
    return IV_OK;
}

/* Looks up the group's committed offsets where the application wants them. False: the
 * broker did not answer. */
static bool resolve_committed(struct iv_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_topic_partition_list_t *asked = rd_kafka_topic_partition_list_new(list->cnt);
    for (int i = 0; i < list->cnt; i++) {
        if (list->elems[i].offset == IV_OFFSET_COMMITTED) {
            (void)rd_kafka_topic_partition_list_add(asked, list->elems[i].topic, list->elems[i].partition);
        }
    }
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (asked->cnt > 0) {
        error = rd_kafka_committed(consumer->rk, asked, ASK_MS);
    }
    for (int i = 0; error == RD_KAFKA_RESP_ERR_NO_ERROR && i < asked->cnt; i++) {
        error = asked->elems[i].err;
        rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_find(list, asked->elems[i].topic, asked->elems[i].partition);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            p->offset = asked->elems[i].offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : asked->elems[i].offset;
        }
    }
    rd_kafka_topic_partition_list_destroy(asked);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)snprintf(consumer->trouble, sizeof consumer->trouble,
                       "the group's offsets cannot be looked up: %s", rd_kafka_err2str(error));
    }
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Partitions that were added since the topics were surveyed are given to some member, and would be read by
 * none. *known: the broker has answered. */
static iv_rc check_width(struct iv_consumer *consumer, bool *known, struct iv_err *err)
{
    for (size_t s = 0; s < IV_STREAMS; s++) {
        int32_t width = 0;
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
        if (consumer->topics[s] == NULL) {
            continue;
        }
        *known = iv_client_width(consumer->rk, consumer->topics[s], &width, &error, ASK_MS * IV_NS_PER_MS) &&
                 width > 0;
        if (!*known) {
            return IV_OK;
        }
        ENSURE(width == consumer->width, err, IV_E_REFUSED,
               "the topic '%s' has %d partitions, and there were %d when it was first seen; start again",
               consumer->topics[s], width, consumer->width);
    }
    return IV_OK;
}

static iv_rc settle_assign(struct iv_consumer *consumer, struct iv_err *err)
{
    bool known = true;
    if (consumer->alone && consumer->rebalance.list->cnt > 0) {
        TRY(check_width(consumer, &known, err));
    }
    if (!known) {
        return IV_OK; /* stays noted */
    }
    if (!consumer->rebalance.placed) {
        TRY(place(consumer, err));
    }
    rd_kafka_topic_partition_list_t *list = consumer->rebalance.list;
    if (!resolve_committed(consumer, list)) {
        return IV_OK; /* stays noted */
    }
    for (int i = 0; i < list->cnt; i++) {
        struct iv_partition *p = iv_consumer_find(consumer, list->elems[i].topic, list->elems[i].partition);
        p->at.offset = list->elems[i].offset;
    }
    TRY(answer(consumer, true, list, err));
    forget(&consumer->rebalance);
    consumer->assigned = true;
    consumer->reachable = true;
    consumer->trouble[0] = '\0';
    return IV_OK;
}

/* Takes the listed partitions out of the table and tells the application. */
static void leave(struct iv_consumer *consumer, const rd_kafka_topic_partition_list_t *list, bool lost)
{
    /* The ends of the last batch are no longer needed: their array serves as the hook's. */
    size_t count = 0;
    for (int i = 0; i < list->cnt; i++) {
        struct iv_partition *p = iv_consumer_find(consumer, list->elems[i].topic, list->elems[i].partition);
        if (p != NULL) {
            consumer->ends[count] = p->at;
            consumer->ends[count].offset = p->seen ? p->at.offset : -1;
            LOG_INFO("kafka.partition.revoked", KV_TEXT("topic", list->elems[i].topic),
                     KV_I64("partition", p->at.partition), KV_I64("offset", consumer->ends[count].offset),
                     KV_TEXT("lost", lost ? "yes" : "no"));
            count++;
        }
    }
    if (count > 0 && consumer->hooks.revoked != NULL) {
        consumer->hooks.revoked(consumer->hooks.ctx, consumer->ends, count, lost);
    }
    for (int i = 0; i < list->cnt; i++) {
        struct iv_partition *p = iv_consumer_find(consumer, list->elems[i].topic, list->elems[i].partition);
        if (p != NULL) {
            *p = consumer->partitions[--consumer->partition_count];
        }
    }
}

static iv_rc settle_revoke(struct iv_consumer *consumer, struct iv_err *err)
{
    leave(consumer, consumer->rebalance.list, consumer->rebalance.lost);
    consumer->assigned = cooperative(consumer) && consumer->partition_count > 0;
    TRY(answer(consumer, false, consumer->rebalance.list, err));
    forget(&consumer->rebalance);
    return IV_OK;
}

/* Not by rd_kafka_query_watermark_offsets: it asks for both ends at once, and where only the first answer is
 * a failure it gives the log's end for its beginning (all versions up to now). A lookup by time takes Kafka's
 * own word for the beginning, and has one answer. */
static bool ask_beginning(int64_t *out, const struct iv_consumer *consumer, const struct iv_partition *p)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *one =
        rd_kafka_topic_partition_list_add(list, consumer->topics[p->at.stream], p->at.partition);
    one->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(consumer->rk, list, ASK_MS);
    bool answered =
        error == RD_KAFKA_RESP_ERR_NO_ERROR && one->err == RD_KAFKA_RESP_ERR_NO_ERROR && one->offset >= 0;
    *out = answered ? one->offset : -1;
    rd_kafka_topic_partition_list_destroy(list);
    return answered;
}

static void tell_gap(struct iv_consumer *consumer, const struct iv_cursor *from, int64_t next)
{
    LOG_WARN("kafka.gap", KV_TEXT("topic", consumer->topics[from->stream]),
             KV_I64("partition", from->partition), KV_I64("from", from->offset), KV_I64("to", next));
    if (consumer->hooks.gap != NULL) {
        consumer->hooks.gap(consumer->hooks.ctx, from, next);
    }
}

/* Where reading can go on: the oldest record that the broker has. Also where the broker's log is shorter than
 * our position: that is another log (the topic was made anew, or an unclean election cut it), and reading it
 * from its beginning repeats at worst. Where the question for the beginning was not answered nothing is
 * missing. */
static bool find_resume(struct iv_consumer *consumer, struct iv_partition *p)
{
    int64_t low = -1;
    if (!ask_beginning(&low, consumer, p)) {
        return false;
    }
    if (p->at.offset >= 0 && p->at.offset != low) {
        tell_gap(consumer, &p->at, low);
    }
    p->at.offset = low;
    p->out_of_range = false;
    return true;
}

/* Fetching has stopped for the partitions that are out of range, and a stopped one cannot be sought: it is
 * assigned anew. Under the eager protocol the call names all partitions, the others where they stand. */
static iv_rc reassign(struct iv_consumer *consumer, const bool *moved, struct iv_err *err)
{
    bool all = !cooperative(consumer);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)consumer->partition_count);
    for (size_t i = 0; i < consumer->partition_count; i++) {
        const struct iv_partition *p = &consumer->partitions[i];
        if (all || moved[i]) {
            rd_kafka_topic_partition_list_add(list, consumer->topics[p->at.stream], p->at.partition)->offset =
                p->at.offset;
        }
    }
    struct iv_rc_s rc = all ? IV_OK : answer(consumer, false, list, err);
    if (iv_ok(rc)) {
        rc = answer(consumer, true, list, err);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return rc;
}

static iv_rc settle_resets(struct iv_consumer *consumer, struct iv_err *err)
{
    IV_AUTO(iv_freep) bool *moved = iv_calloc(consumer->partition_count + 1, sizeof *moved);
    ENSURE(moved != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", consumer->partition_count);
    bool any = false;
    consumer->resets = false;
    for (size_t i = 0; i < consumer->partition_count; i++) {
        struct iv_partition *p = &consumer->partitions[i];
        if (p->out_of_range) {
            moved[i] = find_resume(consumer, p);
            any |= moved[i];
            consumer->resets |= !moved[i];
        }
    }
    return any ? reassign(consumer, moved, err) : IV_OK;
}

iv_rc iv_rebalance_settle(struct iv_consumer *consumer, struct iv_err *err)
{
    if (consumer->rebalance.kind == IV_REBALANCE_ASSIGN) {
        struct iv_rc_s rc = settle_assign(consumer, err);
        if (!iv_ok(rc) && iv_code_class(rc.code) == IV_CLASS_RETRY) {
            (void)snprintf(consumer->trouble, sizeof consumer->trouble, "%.255s", err->text);
            return IV_OK;
        }
        return rc;
    }
    if (consumer->rebalance.kind == IV_REBALANCE_REVOKE) {
        return settle_revoke(consumer, err);
    }
    return consumer->resets ? settle_resets(consumer, err) : IV_OK;
}

/* The library has asked and does not ask again: without an answer it would wait for one, and never close. */
static void answer_noted(struct iv_consumer *consumer)
{
    struct iv_err why;
    struct iv_rebalance *noted = &consumer->rebalance;
    if (noted->kind == IV_REBALANCE_NONE || consumer->fatal) {
        return;
    }
    /* Under the cooperative protocol only what is ours can be given back. */
    bool take = cooperative(consumer) && noted->kind == IV_REBALANCE_ASSIGN;
    if (!iv_ok(answer(consumer, take, noted->list, &why))) {
        LOG_WARN("kafka.rebalance_failed", KV_TEXT("text", why.text));
    }
}

void iv_rebalance_drop_all(struct iv_consumer *consumer)
{
    bool lost = consumer->rebalance.kind == IV_REBALANCE_REVOKE && consumer->rebalance.lost;
    consumer->closing = true;
    rd_kafka_topic_partition_list_t *list = all_of_ours(consumer);
    leave(consumer, list, lost);
    rd_kafka_topic_partition_list_destroy(list);
    answer_noted(consumer);
    forget(&consumer->rebalance);
}
