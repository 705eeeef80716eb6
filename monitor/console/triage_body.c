/* SPDX-License-Identifier: Apache-2.0 */
#include "console/triage_body.h"

#include "base/clock.h"
#include "base/guard.h"
#include "console/body.h"

enum { NAME_BYTES_MAX = 128, TEXT_BYTES_MAX = 4096 };

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

static bool read_until(struct iv_triage_asked *a, struct iv_reply *reply)
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
                              const struct iv_triage_asked *a, struct iv_reply *reply)
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

static bool check(struct iv_triage_asked *a, struct iv_reply *reply, bool of_incident)
{
    struct iv_triage *t = &a->triage;
    if (!iv_triage_verb_of(&t->verb, a->verb) || (of_incident && t->verb == IV_TRIAGE_REOPEN)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "'do' must be one of acknowledge, assign, comment, close, %ssuppress, got "
                         "'" IV_STR_FMT "'",
                         of_incident ? "" : "reopen, ", IV_STR_ARG(a->verb));
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

bool iv_triage_body_read(struct iv_triage_asked *out, struct iv_request *request, struct iv_reply *reply,
                         bool of_incident)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_triage *t = &out->triage;
    const struct iv_body_member members[] = {
        {.name = "do", .text = &out->verb, .required = true, .bytes_max = 32},
        {.name = "assignee", .text = &t->assignee, .bytes_max = NAME_BYTES_MAX},
        {.name = "text", .text = &t->text, .bytes_max = TEXT_BYTES_MAX},
        {.name = "reason", .text = &t->reason, .bytes_max = IV_TRIAGE_REASON_MAX},
        {.name = "until", .text = &out->until, .bytes_max = 64},
        {.name = "upto", .text = &out->upto, .bytes_max = 24},
    };
    *out = (struct iv_triage_asked){.triage = {.who = iv_str_of(request->who.name), .at = iv_wall(&clock)}};
    return iv_body_read(request, reply, members, IV_COUNT(members) - (of_incident ? 0 : 1)) &&
           check(out, reply, of_incident);
}
