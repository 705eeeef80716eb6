/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/findings/{uid}/triage: what somebody does with a finding. */
#include "evidence/triage.h"

#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"

#include <stdio.h>

enum { NAME_BYTES_MAX = 128, TEXT_BYTES_MAX = 4096, REASON_BYTES_MAX = 512 };

struct asked {
    struct iv_triage triage;
    struct iv_str verb;
    struct iv_str until;
};

static bool is_close_reason(struct iv_str reason)
{
    static const struct iv_str reasons[] = {IV_STR_INIT("true-positive"), IV_STR_INIT("false-positive"),
                                            IV_STR_INIT("benign"), IV_STR_INIT("duplicate")};
    for (size_t i = 0; i < IV_COUNT(reasons); i++) {
        if (iv_str_eq(reasons[i], reason)) {
            return true;
        }
    }
    return false;
}

static bool read_until(struct asked *a, struct iv_reply *reply)
{
    struct iv_instant until;
    if (!iv_instant_parse(&until, a->until)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "until must be a time such as 2026-01-02T03:04:05Z, got '" IV_STR_FMT "'",
                         IV_STR_ARG(a->until));
        return false;
    }
    a->triage.until = iv_instant_to_ns_saturated(until);
    if (a->triage.until <= a->triage.at) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "until must lie ahead");
        return false;
    }
    return true;
}

/* A member that says nothing with this verb is a slip, and refused. */
static bool is_said_only_with(const struct iv_str *value, const char *name, bool fits, bool needed,
                              const struct asked *a, struct iv_reply *reply)
{
    if (value->p != NULL && !fits) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "'%s' says nothing with '%s'", name,
                         iv_triage_verb_name(a->triage.verb));
        return false;
    }
    if (needed && value->n == 0) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "'%s' needs '%s'", iv_triage_verb_name(a->triage.verb),
                         name);
        return false;
    }
    return true;
}

static bool check(struct asked *a, struct iv_reply *reply)
{
    struct iv_triage *t = &a->triage;
    if (!iv_triage_verb_of(&t->verb, a->verb)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "'do' must be one of acknowledge, assign, comment, close, reopen, suppress, got "
                         "'" IV_STR_FMT "'",
                         IV_STR_ARG(a->verb));
        return false;
    }
    bool closes = t->verb == IV_TRIAGE_CLOSE;
    bool suppresses = t->verb == IV_TRIAGE_SUPPRESS;
    if (!is_said_only_with(&t->assignee, "assignee", t->verb == IV_TRIAGE_ASSIGN, false, a, reply) ||
        !is_said_only_with(&t->text, "text", true, t->verb == IV_TRIAGE_COMMENT, a, reply) ||
        !is_said_only_with(&t->reason, "reason", closes || suppresses, closes || suppresses, a, reply) ||
        !is_said_only_with(&a->until, "until", suppresses, suppresses, a, reply)) {
        return false;
    }
    if (closes && !is_close_reason(t->reason)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "reason must be one of true-positive, false-positive, benign, duplicate, got "
                         "'" IV_STR_FMT "'",
                         IV_STR_ARG(t->reason));
        return false;
    }
    return !suppresses || read_until(a, reply);
}

static bool read_asked(struct asked *a, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_triage *t = &a->triage;
    const struct iv_body_member members[] = {
        {.name = "do", .text = &a->verb, .required = true, .bytes_max = 32},
        {.name = "assignee", .text = &t->assignee, .bytes_max = NAME_BYTES_MAX},
        {.name = "text", .text = &t->text, .bytes_max = TEXT_BYTES_MAX},
        {.name = "reason", .text = &t->reason, .bytes_max = REASON_BYTES_MAX},
        {.name = "until", .text = &a->until, .bytes_max = 64},
    };
    *a = (struct asked){
        .triage = {.finding = request->variable, .who = iv_str_of(request->who.name), .at = iv_wall(&clock)}};
    return iv_body_read(request, reply, members, IV_COUNT(members)) && check(a, reply);
}

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

void iv_answer_triage(struct iv_reply *reply, struct iv_request *request)
{
    struct asked asked;
    struct iv_err err = {.text = ""};
    char what[40];
    char detail[REASON_BYTES_MAX + 96];
    if (!read_asked(&asked, request, reply)) {
        return;
    }
    const struct iv_triage *t = &asked.triage;
    (void)snprintf(what, sizeof what, "finding.%s", iv_triage_verb_name(t->verb));
    (void)snprintf(detail, sizeof detail, "until " IV_STR_FMT ": " IV_STR_FMT, IV_STR_ARG(asked.until),
                   IV_STR_ARG(t->reason));
    const struct iv_change change = {.what = what,
                                     .object = t->finding,
                                     .detail = t->verb == IV_TRIAGE_ASSIGN     ? t->assignee
                                               : t->verb == IV_TRIAGE_SUPPRESS ? iv_str_of(detail)
                                               : t->reason.n > 0               ? t->reason
                                                                               : t->text,
                                     .make = make,
                                     .ctx = &asked.triage};
    struct iv_rc_s rc = iv_change_make(request, &change, &err);
    if (iv_page_refused(reply, rc, &err)) {
        return;
    }
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    rc = write_finding(&reply->body, reader, t->finding, &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_done(reply, rc, &err);
}
