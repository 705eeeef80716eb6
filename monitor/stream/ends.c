/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/ends.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/client.h"

struct iv_ends {
    rd_kafka_t *rk;
    char *topics[IV_STREAMS];
};

static const struct iv_profile profile[] = {
    {"client.id", "invigil", NULL},
    {"reconnect.backoff.max.ms", "3000", NULL},
    {"socket.nagle.disable", "true", NULL},
};

iv_rc iv_ends_open(struct iv_ends **out, const struct iv_property *properties, size_t property_count,
                   const struct iv_str topics[IV_STREAMS], struct iv_err *err)
{
    IV_AUTO(iv_ends_closep) struct iv_ends *ends = iv_calloc(1, sizeof *ends);
    ENSURE(ends != NULL, err, IV_E_NOMEM, "cannot allocate a Kafka client");
    for (size_t s = 0; s < IV_STREAMS; s++) {
        if (topics[s].n > 0) {
            ends->topics[s] = iv_strndup(topics[s].p, topics[s].n);
            ENSURE(ends->topics[s] != NULL, err, IV_E_NOMEM, "cannot allocate a topic's name");
        }
    }
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    TRY(iv_client_conf(&conf, profile, IV_COUNT(profile), properties, property_count, err));
    /* Whatever the readers are told: else the end would be that of the committed records. */
    char text[256] = "";
    ENSURE(rd_kafka_conf_set(conf, "isolation.level", "read_uncommitted", text, sizeof text) ==
               RD_KAFKA_CONF_OK,
           err, IV_E_REFUSED, "kafka: property 'isolation.level': %s", text);
    /* Of the kind that joins no group. */
    TRY(iv_client_new(&ends->rk, RD_KAFKA_PRODUCER, &conf, err));
    *out = TAKE(ends);
    return IV_OK;
}

void iv_ends_close(struct iv_ends *ends)
{
    if (ends != NULL) {
        if (ends->rk != NULL) {
            rd_kafka_destroy(ends->rk);
        }
        for (size_t s = 0; s < IV_STREAMS; s++) {
            iv_free(ends->topics[s]);
        }
        iv_free(ends);
    }
}

void iv_ends_closep(struct iv_ends **ends)
{
    iv_ends_close(*ends);
    *ends = NULL;
}

iv_rc iv_ends_ask(struct iv_ends *ends, struct iv_cursor *at, size_t count, iv_ns wait, struct iv_err *err)
{
    (void)rd_kafka_poll(ends->rk, 0); /* the client's errors and log lines */
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        /* The library asks for times; this "time" is the end. */
        rd_kafka_topic_partition_list_add(list, ends->topics[at[i].stream], at[i].partition)->offset =
            RD_KAFKA_OFFSET_END;
    }
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    if (count > 0) {
        error = rd_kafka_offsets_for_times(ends->rk, list, (int)(wait / IV_NS_PER_MS));
    }
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_find(list, ends->topics[at[i].stream], at[i].partition);
        at[i].offset = p->err == RD_KAFKA_RESP_ERR_NO_ERROR && p->offset >= 0 ? p->offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_BROKER,
           "kafka: the ends of %zu partitions were not told: %s", count, rd_kafka_err2str(error));
    return IV_OK;
}

iv_rc iv_ends_widths(struct iv_ends *ends, int32_t widths[IV_STREAMS], iv_ns wait, struct iv_err *err)
{
    return iv_client_widths(ends->rk, widths, ends->topics, wait, err);
}
