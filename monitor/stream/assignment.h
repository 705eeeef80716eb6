/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer's inside, and how partitions come and go. Private to this room.
 * A rebalance is only noted when librdkafka calls back, which is in the middle of a poll; it is carried out
 * at the beginning of the next one, when the previous batch has been dealt with. The same for positions that
 * the broker no longer has. So neither the application's hooks nor assign and seek ever run beside the batch
 * calls, which librdkafka before 2.13 does not survive without loss. */
#pragma once

#include "base/arena.h"
#include "stream/client.h"
#include "stream/kafka.h"

struct iv_partition {
    /* offset: the next record's, once one was seen; else where reading was told to begin */
    struct iv_cursor at;
    bool seen; /* a record or the end has been delivered: at.offset is real */
    bool at_end;
    bool told_end;     /* in a batch's ends, since it is there */
    bool out_of_range; /* the broker does not have at.offset */
};

struct iv_rebalance {
    enum { IV_REBALANCE_NONE, IV_REBALANCE_ASSIGN, IV_REBALANCE_REVOKE } kind;
    rd_kafka_topic_partition_list_t *list;
    bool lost;
    bool placed; /* ASSIGN: the hook has answered, and the partitions stand in the table */
};

struct iv_consumer {
    rd_kafka_t *rk;
    rd_kafka_queue_t *queue;
    struct iv_consumer_hooks hooks;
    struct iv_str names[IV_STREAMS]; /* the caller's: what is read is known by them for longer than by us */
    char *topics[IV_STREAMS];        /* the same, as the library takes them */
    int lead;                        /* the stream whose topic is subscribed to; -1: none yet */
    int32_t width;                   /* partitions of each topic; 0: not known yet */
    bool alone;                      /* all partitions or none are ours */
    bool surveyed;                   /* all topics are known */
    iv_ns survey_at;                 /* when it was last tried */

    struct iv_partition *partitions;
    size_t partition_count;
    size_t partition_room;
    size_t last; /* the partition of the last record: mostly also that of the next */
    bool resets; /* some partition is out of range */
    struct iv_rebalance rebalance;

    size_t batch_records;
    rd_kafka_message_t **messages;
    struct iv_record *records;
    struct iv_cursor *ends;
    struct iv_arena arena; /* the batch's bytes and headers */

    bool reachable;
    iv_ns probed; /* when it was last tried whether a broker answers again */
    bool assigned;
    bool fatal;
    bool closing;                        /* rebalances are answered at once */
    char trouble[256];                   /* of brokers and group */
    char topic_trouble[IV_STREAMS][256]; /* of a topic: missing, or not allowed to be read */
};

/* Asks the broker for the topics, now and then until all of them are there: counts their partitions, and
 * subscribes. */
iv_rc iv_topics_survey(struct iv_consumer *consumer, struct iv_err *err);

/* Finds a partition that is ours; NULL if it is not. */
struct iv_partition *iv_consumer_find(struct iv_consumer *consumer, const char *topic, int32_t partition);
bool iv_consumer_stream_of(enum iv_stream *out, const struct iv_consumer *consumer, const char *topic);

/* The library's callback: notes what is to be done. */
void iv_rebalance_note(rd_kafka_t *rk, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *list,
                       void *opaque);
/* Carries out what was noted. What must wait for the broker stays noted. */
iv_rc iv_rebalance_settle(struct iv_consumer *consumer, struct iv_err *err);
/* Gives everything back, for closing. */
void iv_rebalance_drop_all(struct iv_consumer *consumer);
