/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/sink.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/producer.h"

#include <errno.h>
#include <stdio.h>

#define FINISH_WAIT (60 * IV_NS_PER_S)
#define BUFFER_BYTES ((size_t)256 * 1024)
#define BUSY_WAIT (50 * IV_NS_PER_MS)

struct files {
    FILE *streams[IV_STREAMS];
    char paths[IV_STREAMS][4096];
};

static iv_rc files_put(void *self, const struct iv_fleet_event *event, struct iv_err *err)
{
    struct files *f = self;
    FILE *file = f->streams[event->stream];
    bool written = fwrite(event->json.p, 1, event->json.n, file) == event->json.n && fputc('\n', file) != EOF;
    ENSURE(written, err, IV_E_IO, "cannot write '%s': %s", f->paths[event->stream], strerror(errno));
    return IV_OK;
}

static iv_rc files_finish(void *self, struct iv_err *err)
{
    struct files *f = self;
    for (size_t i = 0; i < IV_STREAMS; i++) {
        ENSURE(fflush(f->streams[i]) == 0, err, IV_E_IO, "cannot write '%s': %s", f->paths[i],
               strerror(errno));
    }
    return IV_OK;
}

static void files_free(void *self)
{
    struct files *f = self;
    for (size_t i = 0; i < IV_STREAMS; i++) {
        if (f->streams[i] != NULL) {
            (void)fclose(f->streams[i]);
        }
    }
    iv_free(f);
}

static iv_rc files_open(struct files *f, const char *folder, struct iv_err *err)
{
    for (size_t i = 0; i < IV_STREAMS; i++) {
        int n = snprintf(f->paths[i], sizeof f->paths[i], "%s/%s.ndjson", folder,
                         iv_stream_name((enum iv_stream)i));
        ENSURE(n > 0 && (size_t)n < sizeof f->paths[i], err, IV_E_REFUSED, "the path of '%s' is too long",
               folder);
        f->streams[i] = fopen(f->paths[i], "wxe");
        ENSURE(f->streams[i] != NULL || errno != EEXIST, err, IV_E_REFUSED,
               "'%s' is there already; it is not overwritten", f->paths[i]);
        ENSURE(f->streams[i] != NULL, err, IV_E_IO, "cannot create '%s': %s", f->paths[i], strerror(errno));
        (void)setvbuf(f->streams[i], NULL, _IOFBF, BUFFER_BYTES);
    }
    return IV_OK;
}

iv_rc iv_sim_files(struct iv_sim_sink *out, const char *folder, struct iv_err *err)
{
    struct files *f = iv_calloc(1, sizeof *f);
    ENSURE(f != NULL, err, IV_E_NOMEM, "cannot allocate the simulator's files");
    struct iv_rc_s rc = files_open(f, folder, err);
    if (!iv_ok(rc)) {
        files_free(f);
        return rc;
    }
    *out = (struct iv_sim_sink){files_put, files_finish, files_free, f};
    return IV_OK;
}

struct topics {
    struct iv_producer *producer;
    uint64_t failures;
    struct iv_err first;
};

static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct topics *t = ctx;
    (void)ticket;
    if (failure != NULL && t->failures++ == 0) {
        t->first = *failure;
    }
}

static iv_rc topics_put(void *self, const struct iv_fleet_event *event, struct iv_err *err)
{
    static const struct iv_header headers[] = {
        {IV_STR_INIT("content-type"), IV_STR_INIT("application/cloudevents+json; charset=UTF-8")}};
    struct topics *t = self;
    struct iv_message message = {
        .topic = iv_str_of(iv_stream_name(event->stream)),
        .key = event->tenant,
        .value = event->json,
        .headers = headers,
        .header_count = IV_COUNT(headers),
    };
    struct iv_rc_s rc = iv_producer_send(t->producer, &message, err);
    while (rc.code == IV_E_BUSY) {
        (void)iv_producer_poll(t->producer, BUSY_WAIT);
        rc = iv_producer_send(t->producer, &message, err);
    }
    (void)iv_producer_poll(t->producer, 0);
    return rc;
}

static iv_rc topics_finish(void *self, struct iv_err *err)
{
    struct topics *t = self;
    TRY(iv_producer_flush(t->producer, FINISH_WAIT, err));
    ENSURE(t->failures == 0, err, IV_E_BROKER, "%llu events were not delivered; the first: %s",
           (unsigned long long)t->failures, t->first.text);
    return IV_OK;
}

static void topics_free(void *self)
{
    struct topics *t = self;
    iv_producer_close(t->producer);
    iv_free(t);
}

iv_rc iv_sim_topics(struct iv_sim_sink *out, const char *brokers, struct iv_err *err)
{
    struct topics *t = iv_calloc(1, sizeof *t);
    ENSURE(t != NULL, err, IV_E_NOMEM, "cannot allocate the simulator's producer");
    struct iv_property property = {IV_STR("bootstrap.servers"), iv_str_of(brokers)};
    struct iv_producer_options options = {
        .properties = &property, .property_count = 1, .report = on_report, .ctx = t};
    struct iv_rc_s rc = iv_producer_open(&t->producer, &options, err);
    if (!iv_ok(rc)) {
        topics_free(t);
        return rc;
    }
    *out = (struct iv_sim_sink){topics_put, topics_finish, topics_free, t};
    return IV_OK;
}
