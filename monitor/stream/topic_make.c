/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/topic_make.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/client.h"

static void topic_freep(rd_kafka_NewTopic_t **topic)
{
    if (*topic != NULL) {
        rd_kafka_NewTopic_destroy(*topic);
    }
}

static void client_freep(rd_kafka_t **rk)
{
    if (*rk != NULL) {
        rd_kafka_destroy(*rk);
    }
}

/* The topic's partitions; 0 where the brokers say that there is no such topic. */
static iv_rc count_partitions(int32_t *out, rd_kafka_t *rk, const char *name, iv_ns wait, struct iv_err *err)
{
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
    ENSURE(iv_client_width(rk, name, out, &error, wait), err, IV_E_BROKER, "topic %s: no broker answered: %s",
           name, rd_kafka_err2str(error));
    return IV_OK;
}

/* What the broker says to the request, of the only topic in it. */
static iv_rc answer_of(rd_kafka_event_t *event, const char *name, struct iv_err *err)
{
    ENSURE(event != NULL, err, IV_E_BROKER, "topic %s: no broker answered the wish to make it", name);
    ENSURE(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_BROKER,
           "topic %s: it could not be made: %s", name, rd_kafka_event_error_string(event));
    size_t count = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
        const char *why = rd_kafka_topic_result_error_string(results[i]);
        ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS, err,
               IV_E_REFUSED, "topic %s: the broker would not make it: %s", name,
               why != NULL ? why : rd_kafka_err2str(error));
    }
    return IV_OK;
}

static iv_rc create(rd_kafka_t *rk, const char *name, const struct iv_topic_plan *plan, iv_ns wait,
                    struct iv_err *err)
{
    char text[256] = "";
    IV_AUTO(topic_freep)
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, plan->partitions, -1, text, sizeof text);
    ENSURE(topic != NULL, err, IV_E_REFUSED, "topic %s: %s", name, text);
    for (size_t i = 0; i < plan->setting_count; i++) {
        const struct iv_topic_setting *s = &plan->settings[i];
        ENSURE(rd_kafka_NewTopic_set_config(topic, s->name, s->value) == RD_KAFKA_RESP_ERR_NO_ERROR, err,
               IV_E_REFUSED, "topic %s: it cannot have '%s'", name, s->name);
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(options, iv_client_milliseconds(wait), text, sizeof text);
    rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, iv_client_milliseconds(wait) + 1000);
    struct iv_rc_s rc = answer_of(event, name, err);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return rc;
}

iv_rc iv_topic_make(int32_t *width, const struct iv_property *properties, size_t property_count,
                    const struct iv_topic_plan *plan, iv_ns wait, struct iv_err *err)
{
    static const struct iv_profile profile[] = {
        {"client.id", "invigil", NULL},
        {"allow.auto.create.topics", "false", NULL}, /* asking must not make it with other settings */
    };
    IV_AUTO(iv_freep) char *name = iv_strndup(plan->name.p, plan->name.n);
    ENSURE(name != NULL, err, IV_E_NOMEM, "cannot allocate a topic's name");
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    IV_AUTO(client_freep) rd_kafka_t *rk = NULL;
    TRY(iv_client_conf(&conf, profile, IV_COUNT(profile), properties, property_count, err));
    /* A producer asks brokers to make topics by asking about them; a consumer does as it is told. */
    TRY(iv_client_new(&rk, RD_KAFKA_CONSUMER, &conf, err));
    int32_t found = 0;
    TRY(count_partitions(&found, rk, name, wait, err));
    if (found == 0) {
        TRY(create(rk, name, plan, wait, err));
        found = plan->partitions;
    }
    *width = found;
    return IV_OK;
}
