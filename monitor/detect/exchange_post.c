/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/exchange_post.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/guard.h"
#include "stream/producer.h"
#include "stream/topic_make.h"

#define LOOK (20 * IV_NS_PER_MS)

/* A packet holds one event more than it should, of at most a record's size; fields of numbers grow. */
#define MESSAGE_BYTES "33554432"

/* What is under way of one source partition: a message's ticket. */
struct line {
    int32_t source;
    size_t pending;
    struct line *next;
};

struct iv_post {
    struct iv_post_options options;
    struct iv_producer *producer;
    struct line *lines;
    bool failed;
    struct iv_err err;
};

static const struct iv_topic_setting settings[] = {
    {"cleanup.policy", "delete"},
    {"max.message.bytes", MESSAGE_BYTES},
};

iv_rc iv_post_prepare(const struct iv_post_options *options, int32_t partitions, iv_ns wait,
                      struct iv_err *err)
{
    const struct iv_topic_plan plan = {.name = options->topic,
                                       .partitions = partitions,
                                       .settings = settings,
                                       .setting_count = IV_COUNT(settings)};
    int32_t width = 0;
    TRY(iv_topic_make(&width, options->kafka, options->kafka_count, &plan, wait, err));
    ENSURE(width == partitions, err, IV_E_REFUSED,
           "the topic '" IV_STR_FMT "' has %d partitions, and the streams' topics have %d; the exchange must "
           "have as many as they have, and it is made so where topics.exchange names one that is not there",
           IV_STR_ARG(options->topic), width, partitions);
    return IV_OK;
}

static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct iv_post *post = ctx;
    struct line *line = ticket;
    iv_fault("exchange.answered");
    line->pending--;
    if (failure != NULL && !post->failed) {
        post->failed = true;
        post->err = *failure;
        if (failure->code == IV_E_LIMIT) {
            iv_err_wrap(&post->err, "its max.message.bytes should be " MESSAGE_BYTES);
        }
        iv_err_wrap(&post->err, "partition %d of the streams: a packet of the exchange", line->source);
    }
}

iv_rc iv_post_open(struct iv_post **out, const struct iv_post_options *options, struct iv_err *err)
{
    /* Behind the user's: a packet that is given up is a gap in the verdicts, so none is. */
    static const struct iv_property ours[] = {
        {IV_STR_INIT("message.max.bytes"), IV_STR_INIT(MESSAGE_BYTES)},
        {IV_STR_INIT("message.timeout.ms"), IV_STR_INIT("0")},
        {IV_STR_INIT("enable.idempotence"), IV_STR_INIT("true")},
        {IV_STR_INIT("acks"), IV_STR_INIT("all")},
    };
    IV_AUTO(iv_post_closep) struct iv_post *post = iv_calloc(1, sizeof *post);
    IV_AUTO(iv_freep) struct iv_property *properties = NULL;
    ENSURE(post != NULL, err, IV_E_NOMEM, "cannot allocate the way to the exchange");
    TRY(iv_properties_join(&properties, options->kafka, options->kafka_count, ours, IV_COUNT(ours), err));
    post->options = *options;
    const struct iv_producer_options producer = {.properties = properties,
                                                 .property_count = options->kafka_count + IV_COUNT(ours),
                                                 .report = on_report,
                                                 .ctx = post};
    TRY(iv_producer_open(&post->producer, &producer, err));
    *out = TAKE(post);
    return IV_OK;
}

void iv_post_close(struct iv_post *post)
{
    if (post == NULL) {
        return;
    }
    iv_producer_close(post->producer); /* reports what is under way, so the lines go after it */
    while (post->lines != NULL) {
        struct line *line = post->lines;
        post->lines = line->next;
        iv_free(line);
    }
    iv_free(post);
}

void iv_post_closep(struct iv_post **post)
{
    iv_post_close(*post);
    *post = NULL;
}

static struct line *line_of(const struct iv_post *post, int32_t source)
{
    struct line *line = post->lines;
    while (line != NULL && line->source != source) {
        line = line->next;
    }
    return line;
}

static struct line *line_for(struct iv_post *post, int32_t source)
{
    struct line *line = line_of(post, source);
    if (line == NULL && (line = iv_calloc(1, sizeof *line)) != NULL) {
        *line = (struct line){.source = source, .next = post->lines};
        post->lines = line;
    }
    return line;
}

static bool is_stopping(const struct iv_post *post)
{
    return post->options.stopping != NULL && post->options.stopping(post->options.ctx);
}

static iv_rc failure_of(const struct iv_post *post, struct iv_err *err)
{
    if (post->failed) {
        *err = post->err;
        return (struct iv_rc_s){post->err.code};
    }
    return IV_OK;
}

iv_rc iv_post_send(struct iv_post *post, int32_t source, uint32_t share, struct iv_str packet,
                   struct iv_err *err)
{
    struct line *line = line_for(post, source);
    ENSURE(line != NULL, err, IV_E_NOMEM, "cannot allocate the way to the exchange");
    int32_t partition = (int32_t)share;
    const struct iv_message message = {
        .topic = post->options.topic, .value = packet, .partition = &partition, .ticket = line};
    iv_fault("exchange.before_send");
    for (;;) {
        TRY(failure_of(post, err));
        line->pending++;
        struct iv_rc_s rc = iv_producer_send(post->producer, &message, err);
        if (iv_ok(rc)) {
            return IV_OK;
        }
        line->pending--;
        if (rc.code != IV_E_BUSY) {
            return rc;
        }
        ENSURE(!is_stopping(post), err, IV_E_TIMEOUT,
               "the exchange took nothing more while the program was told to stop");
        (void)iv_producer_poll(post->producer, LOOK);
    }
}

iv_rc iv_post_poll(struct iv_post *post, struct iv_err *err)
{
    while (iv_producer_poll(post->producer, 0) > 0) {
    }
    return failure_of(post, err);
}

size_t iv_post_pending(const struct iv_post *post, int32_t source)
{
    const struct line *line = line_of(post, source);
    return line == NULL ? 0 : line->pending;
}

iv_rc iv_post_settle(struct iv_post *post, int32_t source, iv_ns wait, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns until = iv_ns_add(iv_monotonic(&clock), wait);
    while (iv_post_pending(post, source) > 0) {
        TRY(failure_of(post, err));
        ENSURE(iv_monotonic(&clock) < until, err, IV_E_TIMEOUT,
               "%zu packets of the exchange are not acknowledged by the broker",
               iv_post_pending(post, source));
        (void)iv_producer_poll(post->producer, LOOK);
    }
    return failure_of(post, err);
}
