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

#include <inttypes.h>
#include <stdio.h>

struct listing {
    struct iv_json j;
    char next[64];
    size_t count;
};

static bool write_alert(void *ctx, const struct iv_alert *a)
{
    struct listing *l = ctx;
    struct iv_json *j = &l->j;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "fingerprint", a->fingerprint);
    iv_json_text(j, "state", a->firing ? "firing" : "resolved");
    iv_json_str(j, "rule", a->rule);
    iv_json_str(j, "title", a->title);
    iv_json_text(j, "severity", iv_severity_name(a->severity));
    iv_json_str(j, "criteria", a->criteria);
    iv_json_text(j, "verdict", iv_verdict_kind_name(a->kind));
    iv_show_optional(j, "tenant", a->tenant);
    iv_show_optional(j, "agent", a->agent);
    iv_show_optional(j, "subject", a->subject);
    iv_show_optional(j, "detail", a->detail);
    iv_show_optional(j, "finding", a->finding);
    iv_json_int(j, "count", a->count);
    iv_json_time(j, "started", a->started);
    iv_json_time(j, "last", a->last);
    iv_show_time(j, "ended", a->ended);
    iv_show_optional(j, "cause", a->cause);
    iv_json_close_object(j);
    (void)snprintf(l->next, sizeof l->next, "%d-%" PRId64 "-" IV_STR_FMT, a->firing, a->last,
                   IV_STR_ARG(a->fingerprint));
    l->count++;
    return !iv_page_is_full(j);
}

static iv_rc write_alerts(struct iv_buf *out, struct iv_reader *reader, const struct iv_alert_filter *filter,
                          struct iv_err *err)
{
    struct listing l = {.j = iv_json_to(out)};
    int64_t firing = 0;
    iv_json_open_object(&l.j, NULL);
    TRY(iv_reader_alerts_firing(reader, &firing, err));
    iv_json_int(&l.j, "firing", firing);
    iv_json_open_list(&l.j, "sinks");
    TRY(iv_reader_alert_sinks(reader, iv_show_sink, &l.j, err));
    iv_json_close_list(&l.j);
    iv_json_open_list(&l.j, "items");
    TRY(iv_reader_alerts(reader, filter, write_alert, &l, err));
    iv_json_close_list(&l.j);
    if (iv_page_goes_on(&l.j, l.count, filter->limit)) {
        iv_json_text(&l.j, "next", l.next);
    } else {
        iv_json_null(&l.j, "next");
    }
    iv_json_close_object(&l.j);
    return IV_OK;
}

/* As write_alert makes it: what the last alert of the page before was. */
static bool read_after(struct iv_alert_place *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str text = iv_query_get(request, "after");
    if (text.p == NULL) {
        return true;
    }
    size_t mark = text.n < 2 ? text.n : 2;
    struct iv_str rest = {text.p + mark, text.n - mark};
    const char *dash = rest.n == 0 ? NULL : memchr(rest.p, '-', rest.n);
    size_t digits = dash == NULL ? 0 : (size_t)(dash - rest.p);
    if (text.n > 2 && (text.p[0] == '0' || text.p[0] == '1') && text.p[1] == '-' &&
        iv_page_int(&out->last, (struct iv_str){rest.p, digits})) {
        out->firing = text.p[0] == '1';
        out->fingerprint = (struct iv_str){dash + 1, rest.n - digits - 1};
    }
    if (out->fingerprint.n != IV_FINGERPRINT_HEX) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "after must be the cursor of the page before");
        return false;
    }
    return true;
}

static bool read_filter(struct iv_alert_filter *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_str state;
    *out = (struct iv_alert_filter){.rule = iv_query_get(request, "rule"),
                                    .tenant = iv_query_get(request, "tenant")};
    if (!iv_query_word(&state, request, reply, "state", "firing,resolved") ||
        !iv_page_period(&out->from, &out->until, request, reply) ||
        !read_after(&out->after, request, reply) || !iv_page_limit(&out->limit, request, reply)) {
        return false;
    }
    out->state = state.p == NULL                      ? IV_ALERTS_ANY
                 : iv_str_eq(state, IV_STR("firing")) ? IV_ALERTS_FIRING
                                                      : IV_ALERTS_RESOLVED;
    return true;
}

void iv_answer_alerts(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_alert_filter filter;
    if (!read_filter(&filter, request, reply)) {
        return;
    }
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
