/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/assignment.h"

#include <stdio.h>

#define SURVEY_FIRST (250 * IV_NS_PER_MS) /* until there is something to subscribe to */
#define SURVEY_LATER (5 * IV_NS_PER_S)    /* while some topic is missing */
#define ASK_WAIT (500 * IV_NS_PER_MS)

/* What a broker says of one topic: *count 0 where it is not there, or not to be read. False: no answer. Asked
 * for, it is known to the client: partitions of it can be assigned before it exists. */
static bool ask(struct iv_consumer *consumer, size_t stream, int32_t *count)
{
    const char *name = consumer->topics[stream];
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (!iv_client_width(consumer->rk, name, count, &error, ASK_WAIT)) {
        return false;
    }
    char *trouble = consumer->topic_trouble[stream];
    if (*count > 0) {
        trouble[0] = '\0';
    } else if (trouble[0] == '\0') {
        (void)snprintf(trouble, sizeof consumer->topic_trouble[stream], "topic %s: %s", name,
                       rd_kafka_err2str(error));
        LOG_WARN("kafka.topic_trouble", KV_TEXT("topic", name), KV_TEXT("text", rd_kafka_err2str(error)),
                 KV_TEXT("then", "nothing of this stream is read until it is there, and can be read"));
    }
    return true;
}

static iv_rc subscribe(struct iv_consumer *consumer, int lead, struct iv_err *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    (void)rd_kafka_topic_partition_list_add(list, consumer->topics[lead], RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_REFUSED,
           "kafka: the topic %s cannot be subscribed to: %s", consumer->topics[lead],
           rd_kafka_err2str(error));
    consumer->lead = lead;
    return IV_OK;
}

/* One key's records stand in partition p of each topic, so p must mean the same in all. */
static iv_rc check_width(struct iv_consumer *consumer, const int32_t *counts, struct iv_err *err)
{
    int first = -1;
    for (int s = 0; s < IV_STREAMS; s++) {
        if (counts[s] == 0) {
            continue;
        }
        if (first < 0) {
            first = s;
            ENSURE(consumer->width == 0 || counts[s] == consumer->width, err, IV_E_REFUSED,
                   "the topic '%s' has %d partitions, and %d were expected; a tenant's records would stand "
                   "in two of "
                   "them, so another number takes other topics",
                   consumer->topics[s], counts[s], consumer->width);
        }
        ENSURE(
            counts[s] == counts[first], err, IV_E_REFUSED,
            "the topic '%s' has %d partitions and '%s' has %d; the streams' topics must have the same number "
            "and be keyed alike, so that one partition number holds a tenant's records of both",
            consumer->topics[first], counts[first], consumer->topics[s], counts[s]);
    }
    consumer->width = first < 0 ? consumer->width : counts[first];
    return IV_OK;
}

iv_rc iv_topics_survey(struct iv_consumer *consumer, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns now = iv_monotonic(&clock);
    if (consumer->surveyed ||
        (consumer->survey_at != 0 &&
         now - consumer->survey_at < (consumer->lead < 0 ? SURVEY_FIRST : SURVEY_LATER))) {
        return IV_OK;
    }
    consumer->survey_at = now;
    int32_t counts[IV_STREAMS] = {0};
    int lead = -1;
    bool all = true;
    for (size_t s = 0; s < IV_STREAMS; s++) {
        if (consumer->topics[s] != NULL) {
            if (!ask(consumer, s, &counts[s])) {
                return IV_OK; /* no broker answers: health tells, and it is asked again */
            }
            all = all && counts[s] > 0;
            lead = lead < 0 && counts[s] > 0 ? (int)s : lead;
        }
    }
    TRY(check_width(consumer, counts, err));
    consumer->surveyed = all;
    return lead >= 0 && lead != consumer->lead ? subscribe(consumer, lead, err) : IV_OK;
}
