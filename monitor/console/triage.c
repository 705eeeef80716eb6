/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/findings/{uid}/triage and /api/v1/incidents/{id}/triage: what somebody does with a finding, or with
 * all of an incident that stand. */
#include "base/guard.h"
#include "console/answer.h"
#include "console/change.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"
#include "console/triage_body.h"

#include <stdio.h>

/* Names of 4 KiB each, and words. */
enum { DETAIL_BYTES_MAX = 32 * 1024 };

static iv_rc make(struct iv_store *store, void *ctx, struct iv_err *err)
{
    return iv_store_triage(store, ctx, err);
}

static bool show_finding(void *ctx, const struct iv_finding *finding)
{
    iv_show_finding(ctx, "finding", finding);
    return true;
}

static iv_rc write_finding(struct iv_buf *out, struct iv_reader *reader, struct iv_str uid,
                           struct iv_err *err)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    TRY(iv_reader_finding(reader, uid, show_finding, &j, err));
    iv_json_close_object(&j);
    return IV_OK;
}

/* For the record: to whom, why, or what was said. */
static void write_detail(struct iv_buf *out, const struct iv_triage_asked *asked)
{
    const struct iv_triage *t = &asked->triage;
    if (t->verb == IV_TRIAGE_SUPPRESS) {
        iv_buf_printf(out, "until " IV_STR_FMT ": ", IV_STR_ARG(asked->until));
    }
    iv_buf_str(out, t->verb == IV_TRIAGE_ASSIGN ? t->assignee : t->reason.n > 0 ? t->reason : t->text);
}

void iv_answer_triage(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_triage_asked asked;
    struct iv_err err = {.text = ""};
    char what[40];
    if (!iv_triage_body_read(&asked, request, reply, false)) {
        return;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf detail;
    iv_buf_init(&detail, DETAIL_BYTES_MAX);
    write_detail(&detail, &asked);
    asked.triage.finding = request->variable;
    (void)snprintf(what, sizeof what, "finding.%s", iv_triage_verb_name(asked.triage.verb));
    const struct iv_change change = {.what = what,
                                     .object = request->variable,
                                     .detail = iv_buf_slice(&detail),
                                     .make = make,
                                     .ctx = &asked.triage};
    struct iv_rc_s rc = iv_change_make(request, &change, &err);
    if (iv_page_refused(reply, rc, &err)) {
        return;
    }
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    rc = write_finding(&reply->body, reader, asked.triage.finding, &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_done(reply, rc, &err);
}

struct of_incident {
    int64_t incident;
    int64_t upto; /* 0: all */
    const struct iv_triage_asked *asked;
    struct iv_triage_done done;
    struct iv_buf detail; /* for the record: how many, of what, and the rest as of a finding */
};

static iv_rc make_of_incident(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct of_incident *o = ctx;
    const struct iv_triage *t = &o->asked->triage;
    IV_AUTO(iv_buf_deinit) struct iv_buf names;
    iv_buf_init(&names, DETAIL_BYTES_MAX);
    TRY(iv_store_triage_incident(store, &o->done, &names, o->incident, o->upto, t, err));
    iv_buf_printf(&o->detail, "%zu of " IV_STR_FMT, o->done.changed, IV_STR_ARG(iv_buf_slice(&names)));
    iv_buf_text(&o->detail, t->assignee.n + t->reason.n + t->text.n > 0 ? ": " : "");
    write_detail(&o->detail, o->asked);
    return iv_buf_check(&o->detail, "the record of a change", err);
}

static bool read_of_incident(struct of_incident *out, struct iv_triage_asked *asked,
                             struct iv_request *request, struct iv_reply *reply)
{
    *out = (struct of_incident){.asked = asked};
    if (!iv_page_int(&out->incident, request->variable) || out->incident <= 0) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "an incident's id is a number");
        return false;
    }
    if (!iv_triage_body_read(asked, request, reply, true)) {
        return false;
    }
    if (asked->upto.p != NULL && (!iv_page_int(&out->upto, asked->upto) || out->upto <= 0)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "upto must be a seq, or the 'next' of the answer before");
        return false;
    }
    return true;
}

void iv_answer_incident_triage(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_triage_asked asked;
    struct of_incident of;
    struct iv_err err = {.text = ""};
    char what[40];
    if (!read_of_incident(&of, &asked, request, reply)) {
        return;
    }
    iv_buf_init(&of.detail, DETAIL_BYTES_MAX);
    (void)snprintf(what, sizeof what, "incident.%s", iv_triage_verb_name(asked.triage.verb));
    const struct iv_change change = {
        .what = what, .object = request->variable, .made = &of.detail, .make = make_of_incident, .ctx = &of};
    struct iv_rc_s rc = iv_change_make(request, &change, &err);
    iv_buf_deinit(&of.detail);
    if (!iv_page_refused(reply, rc, &err)) {
        struct iv_json j = iv_json_to(&reply->body);
        iv_json_open_object(&j, NULL);
        iv_json_int(&j, "changed", (int64_t)of.done.changed);
        iv_json_int(&j, "seq", of.done.seq);
        iv_page_next(&j, of.done.next != 0, of.done.next);
        iv_json_close_object(&j);
        iv_page_done(reply, rc, &err);
    }
}
