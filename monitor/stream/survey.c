/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/survey.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/client.h"
#include "stream/received.h"

#include <string.h>

#define BATCH_RECORDS 1024

static const struct iv_profile profile[] = {
    {"client.id", "invigil", NULL},
    {"group.id", "invigil", NULL},
    {"reconnect.backoff.max.ms", "3000", NULL},
    {"socket.nagle.disable", "true", NULL},
};

/* Whatever the user wants of his group's members. */
static const struct iv_property ours[] = {
    {IV_STR_INIT("enable.auto.commit"), IV_STR_INIT("false")},
    {IV_STR_INIT("enable.auto.offset.store"), IV_STR_INIT("false")},
    {IV_STR_INIT("enable.partition.eof"), IV_STR_INIT("true")},
    {IV_STR_INIT("auto.offset.reset"), IV_STR_INIT("error")},
    {IV_STR_INIT("isolation.level"), IV_STR_INIT("read_committed")},
    {IV_STR_INIT("check.crcs"), IV_STR_INIT("true")},
    {IV_STR_INIT("allow.auto.create.topics"), IV_STR_INIT("false")},
    {IV_STR_INIT("fetch.wait.max.ms"), IV_STR_INIT("100")},
    {IV_STR_INIT("queued.min.messages"), IV_STR_INIT("100000")},
    {IV_STR_INIT("queued.max.messages.kbytes"), IV_STR_INIT("16384")},
};

struct iv_survey {
    rd_kafka_t *rk;
    struct iv_survey_options options;
    char *topics[IV_STREAMS];
    struct iv_cursor *at; /* of what is read */
    size_t count;
    struct iv_record *records;
    struct iv_arena arena; /* the batch's */
    struct iv_rc_s later;  /* of the next poll: what went wrong behind the records of the last one */
    struct iv_err why;
};

void iv_survey_close(struct iv_survey *s)
{
    if (s == NULL) {
        return;
    }
    if (s->rk != NULL) {
        (void)rd_kafka_consumer_close(s->rk);
        rd_kafka_destroy(s->rk);
    }
    for (size_t i = 0; i < IV_STREAMS; i++) {
        iv_free(s->topics[i]);
    }
    iv_free(s->at);
    iv_free(s->records);
    iv_arena_deinit(&s->arena);
    iv_free(s);
}

void iv_survey_closep(struct iv_survey **survey)
{
    iv_survey_close(*survey);
}

iv_rc iv_survey_open(struct iv_survey **out, const struct iv_survey_options *options, struct iv_err *err)
{
    IV_AUTO(iv_survey_closep) struct iv_survey *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate a survey of the streams");
    s->options = *options;
    iv_arena_init(&s->arena, 0);
    s->records = iv_calloc(BATCH_RECORDS, sizeof *s->records);
    ENSURE(s->records != NULL, err, IV_E_NOMEM, "cannot allocate a survey of the streams");
    for (size_t i = 0; i < IV_STREAMS; i++) {
        s->topics[i] = iv_strndup(options->topics[i].p, options->topics[i].n);
        ENSURE(s->topics[i] != NULL, err, IV_E_NOMEM, "cannot allocate a topic's name");
    }
    IV_AUTO(iv_client_conf_freep) rd_kafka_conf_t *conf = NULL;
    TRY(iv_client_conf(&conf, profile, IV_COUNT(profile), options->properties, options->property_count, err));
    for (size_t i = 0; i < IV_COUNT(ours); i++) {
        TRY(iv_client_set(conf, &ours[i], err));
    }
    TRY(iv_client_new(&s->rk, RD_KAFKA_CONSUMER, &conf, err));
    (void)rd_kafka_poll_set_consumer(s->rk);
    *out = TAKE(s);
    return IV_OK;
}

iv_rc iv_survey_widths(struct iv_survey *s, int32_t widths[IV_STREAMS], iv_ns wait, struct iv_err *err)
{
    return iv_client_widths(s->rk, widths, s->topics, wait, err);
}

static rd_kafka_topic_partition_list_t *list_of(const struct iv_survey *s, const struct iv_cursor *at,
                                                size_t count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_topic_partition_list_add(list, s->topics[at[i].stream], at[i].partition)->offset =
            at[i].offset;
    }
    return list;
}

/* offset: a time, or one of the library's names for the ends of a log. Answers in the same place. */
static iv_rc ask(struct iv_survey *s, int64_t *offsets, const struct iv_cursor *at, size_t count,
                 int64_t time, iv_ns wait, struct iv_err *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(s, at, count);
    for (size_t i = 0; i < count; i++) {
        list->elems[i].offset = time;
    }
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(s->rk, list, iv_client_milliseconds(wait));
    for (size_t i = 0; i < count; i++) {
        const rd_kafka_topic_partition_t *p =
            rd_kafka_topic_partition_list_find(list, s->topics[at[i].stream], at[i].partition);
        error = error == RD_KAFKA_RESP_ERR_NO_ERROR ? p->err : error;
        offsets[i] = p->offset >= 0 ? p->offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_BROKER,
           "kafka: the offsets of %zu partitions were not told: %s", count, rd_kafka_err2str(error));
    return IV_OK;
}

/* What the broker says of a partition. */
struct found {
    int64_t *since;  /* -1: no record has the time or a later one, or it cannot look by time */
    int64_t *first;  /* of all that are left */
    int64_t *end;    /* of the committed ones, before the others were asked for */
    int64_t *oldest; /* looked for by time: that of any record. -1 where there are some: it cannot look */
};

/* "None" is believed of a broker only that finds by time what is there for certain: an old format of records,
 * or a broker that keeps no index of times, answers it always. */
static iv_rc ask_for_oldest(struct iv_survey *s, const struct found *found, const struct iv_cursor *at,
                            size_t count, iv_ns wait, struct iv_err *err)
{
    bool doubtful = false;
    for (size_t i = 0; i < count; i++) {
        doubtful = doubtful || (found->since[i] < 0 && found->end[i] > found->first[i]);
    }
    return doubtful ? ask(s, found->oldest, at, count, 0, wait, err) : IV_OK;
}

static iv_rc find_each(struct iv_survey *s, const struct found *found, const struct iv_cursor *at,
                       size_t count, iv_ns time, iv_ns wait, struct iv_err *err)
{
    TRY(ask(s, found->end, at, count, RD_KAFKA_OFFSET_END, wait, err));
    TRY(ask(s, found->since, at, count, time / IV_NS_PER_MS, wait, err));
    TRY(ask(s, found->first, at, count, RD_KAFKA_OFFSET_BEGINNING, wait, err));
    return ask_for_oldest(s, found, at, count, wait, err);
}

iv_rc iv_survey_find(struct iv_survey *s, struct iv_cursor *at, size_t count, bool cut[IV_STREAMS],
                     iv_ns time, iv_ns wait, struct iv_err *err)
{
    IV_AUTO(iv_freep) int64_t *offsets = iv_calloc(4 * count + 1, sizeof *offsets);
    ENSURE(offsets != NULL, err, IV_E_NOMEM, "cannot allocate offsets");
    struct found found = {offsets, offsets + count, offsets + 2 * count, offsets + 3 * count};
    TRY(find_each(s, &found, at, count, time, wait, err));
    memset(cut, 0, IV_STREAMS * sizeof *cut);
    for (size_t i = 0; i < count; i++) {
        bool some = found.end[i] > found.first[i];
        if (found.since[i] >= 0) {
            at[i].offset = found.since[i];
        } else {
            at[i].offset = some && found.oldest[i] < 0 ? found.first[i] : found.end[i];
        }
        cut[at[i].stream] = cut[at[i].stream] || (found.first[i] > 0 && at[i].offset <= found.first[i]);
    }
    return IV_OK;
}

iv_rc iv_survey_stable(struct iv_survey *s, struct iv_cursor *at, size_t count, iv_ns wait,
                       struct iv_err *err)
{
    int64_t *offsets = iv_calloc(count + 1, sizeof *offsets);
    ENSURE(offsets != NULL, err, IV_E_NOMEM, "cannot allocate offsets");
    struct iv_rc_s rc = ask(s, offsets, at, count, RD_KAFKA_OFFSET_END, wait, err);
    for (size_t i = 0; i < count && iv_ok(rc); i++) {
        at[i].offset = offsets[i];
    }
    iv_free(offsets);
    return rc;
}

static iv_rc assign(struct iv_survey *s, struct iv_err *err)
{
    rd_kafka_topic_partition_list_t *list = list_of(s, s->at, s->count);
    (void)rd_kafka_assign(s->rk, NULL); /* what was fetched before is not handed out any more */
    rd_kafka_resp_err_t error = s->count == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_assign(s->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    ENSURE(error == RD_KAFKA_RESP_ERR_NO_ERROR, err, IV_E_BROKER, "kafka: %zu partitions cannot be read: %s",
           s->count, rd_kafka_err2str(error));
    return IV_OK;
}

iv_rc iv_survey_read(struct iv_survey *s, const struct iv_cursor *from, size_t count, struct iv_err *err)
{
    struct iv_cursor *at = iv_calloc(count + 1, sizeof *at);
    ENSURE(at != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", count);
    if (count > 0) {
        memcpy(at, from, count * sizeof *at);
    }
    iv_free(s->at);
    s->at = at;
    s->count = count;
    return assign(s, err);
}

void iv_survey_rest(struct iv_survey *s)
{
    s->count = 0;
    (void)rd_kafka_assign(s->rk, NULL);
}

const struct iv_cursor *iv_survey_at(const struct iv_survey *s, size_t *count)
{
    *count = s->count;
    return s->at;
}

static struct iv_cursor *find(struct iv_survey *s, const rd_kafka_message_t *m)
{
    const char *topic = m->rkt == NULL ? "" : rd_kafka_topic_name(m->rkt);
    for (size_t i = 0; i < s->count; i++) {
        if (s->at[i].partition == m->partition && strcmp(s->topics[s->at[i].stream], topic) == 0) {
            return &s->at[i];
        }
    }
    return NULL;
}

/* From the beginning that there is now. */
static iv_rc begin_anew(struct iv_survey *s, struct iv_cursor *at, struct iv_err *err)
{
    s->options.gap(s->options.ctx, at);
    at->offset = RD_KAFKA_OFFSET_BEGINNING;
    return assign(s, err);
}

/* Records that are there and cannot be told are passed over; who may not read passes nothing over. */
static iv_rc unreadable(struct iv_survey *s, const struct iv_cursor *at, const rd_kafka_message_t *m,
                        struct iv_err *err)
{
    bool spoilt = m->err == RD_KAFKA_RESP_ERR__BAD_MSG || m->err == RD_KAFKA_RESP_ERR__BAD_COMPRESSION ||
                  m->err == RD_KAFKA_RESP_ERR_INVALID_MSG || m->err == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
                  m->err == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED ||
                  m->err == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
    if (spoilt) {
        LOG_WARN("kafka.survey_trouble", KV_TEXT("text", rd_kafka_message_errstr(m)));
        s->options.gap(s->options.ctx, at);
        return IV_OK;
    }
    return iv_err_set(err, IV_E_BROKER, "topic %s, partition %d: %s", s->topics[at->stream],
                      (int)at->partition, rd_kafka_err2str(m->err));
}

static iv_rc take(struct iv_survey *s, struct iv_batch *out, bool *moved, const rd_kafka_message_t *m,
                  struct iv_err *err)
{
    struct iv_cursor *at = find(s, m);
    if (m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && at != NULL) {
        return begin_anew(s, at, err);
    }
    if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && at != NULL) {
        *moved = *moved || m->offset > at->offset;
        at->offset = m->offset > at->offset ? m->offset : at->offset;
        return IV_OK;
    }
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR && at != NULL) {
        return unreadable(s, at, m, err);
    }
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        LOG_WARN("kafka.survey_trouble", KV_TEXT("text", rd_kafka_message_errstr(m)));
        return IV_OK;
    }
    if (at == NULL || m->offset < at->offset) {
        return IV_OK;
    }
    const struct iv_origin origin = {.stream = at->stream,
                                     .partition = at->partition,
                                     .offset = m->offset,
                                     .topic = s->options.topics[at->stream]};
    TRY(iv_received(&s->records[out->count], &s->arena, &origin, m, err));
    out->count++;
    at->offset = m->offset + 1;
    *moved = true;
    return IV_OK;
}

iv_rc iv_survey_poll(struct iv_survey *s, struct iv_batch *out, bool *moved, iv_ns wait, struct iv_err *err)
{
    struct iv_rc_s rc = s->later;
    s->later = IV_OK;
    iv_arena_reset(&s->arena);
    *out = (struct iv_batch){.records = s->records};
    *moved = false;
    if (!iv_ok(rc)) {
        return iv_err_set(err, rc.code, "%s", s->why.text);
    }
    while (iv_ok(rc) && out->count < BATCH_RECORDS) {
        rd_kafka_message_t *m =
            rd_kafka_consumer_poll(s->rk, out->count == 0 ? iv_client_milliseconds(wait) : 0);
        if (m == NULL) {
            break;
        }
        wait = 0; /* a notice is reason enough to look at the clock */
        rc = take(s, out, moved, m, &s->why);
        rd_kafka_message_destroy(m);
    }
    if (iv_ok(rc) || out->count == 0) {
        return iv_ok(rc) ? IV_OK : iv_err_set(err, rc.code, "%s", s->why.text);
    }
    s->later = rc;
    return IV_OK;
}
