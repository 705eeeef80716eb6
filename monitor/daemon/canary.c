/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/canary.h"

#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/log.h"
#include "daemon/config_topics.h"
#include "stream/producer.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

#define SOURCE "invigil/canary"
#define EVENT_MAX_BYTES 1024
#define TOPIC_MAX_BYTES 256
#define ID_BYTES 16
#define SEND_WITHIN_MS "1000"
#define ASK_WITHIN (300 * IV_NS_PER_MS)

struct iv_canary {
    const struct iv_config *config;
    struct iv_metrics *metrics;
    struct iv_clock clock;
    struct iv_producer *producer;
    iv_ns next;      /* monotonic */
    int32_t width;   /* partitions of the topic when it was last told */
    int32_t watched; /* those that are waited for */
    pthread_mutex_t lock;
    char topic[TOPIC_MAX_BYTES]; /* under lock, as lateness; empty: no rule would find one */
    iv_ns lateness;
};

static const struct iv_event_type *type_of(const struct iv_baseline *baseline)
{
    for (size_t i = 0; i < baseline->rule_count; i++) {
        if (baseline->rules[i]->mode == IV_MODE_CANARY) {
            return iv_catalogue_find(baseline->catalogue, IV_STR(IV_CANARY_TYPE));
        }
    }
    return NULL;
}

iv_rc iv_canary_check(const struct iv_config *config, const struct iv_baseline *baseline, struct iv_err *err)
{
    ENSURE(config->canary_every == 0 || (config->roles & IV_ROLE_DETECT) == 0 || type_of(baseline) != NULL,
           err, IV_E_REFUSED,
           "canary.every is set, and the baseline has no rule with 'mode: canary' that would find one");
    return IV_OK;
}

void iv_canary_reload(struct iv_canary *canary, const struct iv_baseline *baseline)
{
    if (canary == NULL) {
        return;
    }
    const struct iv_event_type *type = type_of(baseline);
    struct iv_str topic = type == NULL ? IV_STR("") : iv_config_topic(canary->config, baseline, type->stream);
    (void)pthread_mutex_lock(&canary->lock);
    size_t n = topic.n < sizeof canary->topic ? topic.n : 0; /* Kafka's names have 249 bytes at most */
    if (n > 0) {
        memcpy(canary->topic, topic.p, n);
    }
    canary->topic[n] = '\0';
    canary->lateness = type == NULL ? 0 : baseline->streams[type->stream].lateness;
    (void)pthread_mutex_unlock(&canary->lock);
    if (type == NULL) {
        LOG_WARN("canary.none",
                 KV_TEXT("why", "the baseline has no rule with 'mode: canary' that would find one"));
    }
}

static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    const struct iv_canary *c = ctx;
    (void)ticket;
    iv_series_add(IV_SERIES(c->metrics, CANARIES, failure == NULL ? IV_STR("planted") : IV_STR("not_sent")),
                  1);
    if (failure != NULL) {
        LOG_WARN("canary.not_sent", KV_TEXT("why", failure->text));
    }
}

void iv_canary_succeeded(struct iv_metrics *metrics, int32_t partition, iv_ns wall)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", (int)partition);
    iv_series_set_time(IV_SERIES(metrics, CANARY_SUCCESS, iv_str_of(number)), wall);
}

/* From now on one that stays away is missed. */
static void watch(struct iv_canary *c, int32_t width)
{
    for (; c->watched < width; c->watched++) {
        iv_canary_succeeded(c->metrics, c->watched, iv_wall(&c->clock));
    }
}

static iv_rc open_producer(struct iv_canary *c, struct iv_err *err)
{
    size_t count = c->config->kafka_count;
    struct iv_property *properties = iv_calloc(count + 1, sizeof *properties);
    ENSURE(properties != NULL, err, IV_E_NOMEM, "cannot allocate the canary's producer");
    memcpy(properties, c->config->kafka, count * sizeof *properties);
    properties[count] = (struct iv_property){IV_STR("message.timeout.ms"), IV_STR(SEND_WITHIN_MS)};
    const struct iv_producer_options options = {
        .properties = properties, .property_count = count + 1, .report = on_report, .ctx = c};
    struct iv_rc_s rc = iv_producer_open(&c->producer, &options, err);
    iv_free(properties);
    return rc;
}

iv_rc iv_canary_start(struct iv_canary **out, const struct iv_config *config,
                      const struct iv_baseline *baseline, struct iv_metrics *metrics, struct iv_clock clock,
                      struct iv_err *err)
{
    *out = NULL;
    if (config->canary_every == 0) {
        return IV_OK;
    }
    struct iv_canary *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the canary");
    IV_CHECK(pthread_mutex_init(&c->lock, NULL) == 0);
    c->config = config;
    c->metrics = metrics;
    c->clock = clock;
    c->next = iv_monotonic(&clock) + config->canary_every;
    struct iv_rc_s rc = open_producer(c, err);
    if (!iv_ok(rc)) {
        iv_canary_stop(c);
        return rc;
    }
    iv_canary_reload(c, baseline);
    iv_series_set(iv_metrics_only(metrics, IV_METRIC_CANARY_INTERVAL), (double)config->canary_every / 1e9);
    c->width = 1;
    watch(c, c->width);
    *out = c;
    return IV_OK;
}

void iv_canary_stop(struct iv_canary *canary)
{
    if (canary != NULL) {
        iv_producer_close(canary->producer);
        (void)pthread_mutex_destroy(&canary->lock);
        iv_free(canary);
    }
}

/* False: the system has no random bytes. */
static bool write_event(struct iv_buf *out, iv_ns time, char id[2 * ID_BYTES + 1])
{
    unsigned char random[ID_BYTES];
    struct iv_buf hex;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return false;
    }
    iv_buf_init_lent(&hex, id, 2 * ID_BYTES + 1, 2 * ID_BYTES);
    iv_hex_encode(&hex, (struct iv_str){(const char *)random, sizeof random});
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "specversion", "1.0");
    iv_json_str(&j, "id", iv_buf_slice(&hex));
    iv_json_text(&j, "source", SOURCE);
    iv_json_text(&j, "type", IV_CANARY_TYPE);
    iv_json_time(&j, "time", time);
    iv_json_open_object(&j, "data");
    iv_json_close_object(&j);
    iv_json_close_object(&j);
    iv_buf_deinit(&hex);
    return !iv_buf_failed(out);
}

static void plant(struct iv_canary *c, struct iv_str topic, int32_t partition, iv_ns time)
{
    static const struct iv_header headers[] = {
        {IV_STR_INIT("content-type"), IV_STR_INIT("application/cloudevents+json; charset=UTF-8")}};
    char room[EVENT_MAX_BYTES];
    char id[2 * ID_BYTES + 1];
    struct iv_err err = {.text = "the event could not be written"};
    struct iv_buf event;
    iv_buf_init_lent(&event, room, sizeof room, sizeof room - 1);
    struct iv_rc_s rc = {IV_E_STATE};
    if (write_event(&event, time, id)) {
        const struct iv_message message = {.topic = topic,
                                           .key = {id, 2 * (size_t)ID_BYTES},
                                           .partition = &partition,
                                           .value = iv_buf_slice(&event),
                                           .headers = headers,
                                           .header_count = IV_COUNT(headers)};
        rc = iv_producer_send(c->producer, &message, &err);
    }
    iv_buf_deinit(&event);
    if (!iv_ok(rc)) {
        on_report(c, NULL, &err);
    }
}

/* One for each partition: a single one that nobody reads would not be missed by the others' canaries. Where
 * no broker says how many there are, they are as many as before. */
static void plant_all(struct iv_canary *c, const char *topic, iv_ns time)
{
    int32_t width = iv_producer_width(c->producer, topic, ASK_WITHIN);
    c->width = width > 0 ? width : c->width;
    watch(c, c->width);
    for (int32_t partition = 0; partition < c->width; partition++) {
        plant(c, iv_str_of(topic), partition, time);
    }
}

void iv_canary_turn(struct iv_canary *canary)
{
    if (canary == NULL) {
        return;
    }
    (void)iv_producer_poll(canary->producer, 0);
    iv_ns now = iv_monotonic(&canary->clock);
    if (now < canary->next) {
        return;
    }
    char topic[TOPIC_MAX_BYTES];
    (void)pthread_mutex_lock(&canary->lock);
    memcpy(topic, canary->topic, sizeof topic);
    iv_ns time = iv_wall(&canary->clock) - canary->lateness / 2;
    (void)pthread_mutex_unlock(&canary->lock);
    canary->next = now + canary->config->canary_every;
    if (topic[0] != '\0') {
        plant_all(canary, topic, time);
    }
}
