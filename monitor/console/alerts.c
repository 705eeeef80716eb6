/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/alerts: what fires or was resolved lately, and how the sinks do. */
#include "base/guard.h"
#include "base/json_write.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/alert.h"

static void write_text(struct iv_json *j, const char *name, struct iv_str value)
{
    if (value.n == 0) {
        iv_json_null(j, name);
    } else {
        iv_json_str(j, name, value);
    }
}

static void write_time(struct iv_json *j, const char *name, iv_ns time)
{
    if (time == 0) {
        iv_json_null(j, name);
    } else {
        iv_json_time(j, name, time);
    }
}

static bool write_alert(void *ctx, const struct iv_alert *a)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "fingerprint", a->fingerprint);
    iv_json_text(j, "state", a->firing ? "firing" : "resolved");
    iv_json_str(j, "rule", a->rule);
    iv_json_str(j, "title", a->title);
    iv_json_text(j, "severity", iv_severity_name(a->severity));
    iv_json_str(j, "criteria", a->criteria);
    iv_json_text(j, "verdict", iv_verdict_kind_name(a->kind));
    write_text(j, "tenant", a->tenant);
    write_text(j, "agent", a->agent);
    write_text(j, "subject", a->subject);
    write_text(j, "detail", a->detail);
    write_text(j, "finding", a->finding);
    iv_json_int(j, "count", a->count);
    iv_json_time(j, "started", a->started);
    iv_json_time(j, "last", a->last);
    write_time(j, "ended", a->ended);
    write_text(j, "cause", a->cause);
    iv_json_close_object(j);
    return true;
}

static iv_rc write_alerts(struct iv_buf *out, struct iv_reader *reader, const struct iv_alert_filter *filter,
                          struct iv_err *err)
{
    struct iv_json j = iv_json_to(out);
    int64_t firing = 0;
    iv_json_open_object(&j, NULL);
    TRY(iv_reader_alerts_firing(reader, &firing, err));
    iv_json_int(&j, "firing", firing);
    iv_json_open_list(&j, "sinks");
    TRY(iv_reader_alert_sinks(reader, iv_show_sink, &j, err));
    iv_json_close_list(&j);
    iv_json_open_list(&j, "items");
    TRY(iv_reader_alerts(reader, filter, write_alert, &j, err));
    iv_json_close_list(&j);
    iv_json_close_object(&j);
    return IV_OK;
}

void iv_answer_alerts(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_alert_filter filter = {.rule = iv_query_get(request, "rule"),
                                     .tenant = iv_query_get(request, "tenant")};
    struct iv_str state;
    if (!iv_query_word(&state, request, reply, "state", "firing,resolved") ||
        !iv_page_limit(&filter.limit, request, reply)) {
        return;
    }
    filter.state = state.p == NULL                      ? IV_ALERTS_ANY
                   : iv_str_eq(state, IV_STR("firing")) ? IV_ALERTS_FIRING
                                                        : IV_ALERTS_RESOLVED;
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_alerts(&reply->body, reader, &filter, &err);
    iv_readers_return(request->console->readers, reader);
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
}
