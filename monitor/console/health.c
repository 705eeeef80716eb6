/* SPDX-License-Identifier: Apache-2.0 */
/* Is it alive, is it ready, what does it count. */
#include "console/answer.h"

#include "base/log.h"
#include "console/process.h"
#include "console/readers.h"
#include "console/status.h"

void iv_answer_healthz(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_console *console = request->console;
    char standing[sizeof console->standing];
    (void)pthread_mutex_lock(&console->lock);
    memcpy(standing, console->standing, sizeof standing);
    (void)pthread_mutex_unlock(&console->lock);
    if (standing[0] != '\0') {
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "no progress: %s", standing);
        return;
    }
    iv_buf_text(&reply->body, "{\"status\":\"ok\"}");
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
}

void iv_answer_readyz(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_console *console = request->console;
    char why[sizeof console->not_ready];
    (void)pthread_mutex_lock(&console->lock);
    memcpy(why, console->not_ready, sizeof why);
    (void)pthread_mutex_unlock(&console->lock);
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_store_heads heads;
    struct iv_err err;
    bool readable = iv_ok(iv_reader_heads(reader, &heads, &err));
    iv_readers_return(console->readers, reader);
    if (!readable) {
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "the store cannot be read");
    } else if (why[0] != '\0') {
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", why);
    } else {
        iv_buf_text(&reply->body, "{\"status\":\"ready\"}");
        reply->status = MHD_HTTP_OK;
        reply->type = "application/json";
    }
}

void iv_answer_metrics(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err;
    iv_process_measure(request->console->metrics);
    if (!iv_ok(iv_status_measure(request->console, &err)) ||
        !iv_ok(iv_coverage_measure(request->console, &err))) {
        /* The other metrics are worth more than an error: what the store knows stays at its last value. */
        LOG_WARN("console.metrics.store", KV_TEXT("why", err.text));
    }
    iv_metrics_write(&reply->body, request->console->metrics);
    reply->status = MHD_HTTP_OK;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
}
