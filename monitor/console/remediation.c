/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/remediation: what became of what was planned in a period, and how long it took. */
#include "evidence/remediation.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"

#define DAY (86400 * IV_NS_PER_S)

static void write_length(struct iv_json *j, const char *name, const struct iv_lengths *lengths, iv_ns length)
{
    if (lengths->count == 0) {
        iv_json_null(j, name);
    } else {
        iv_json_real(j, name, (double)length / 1e9);
    }
}

static void write_lengths(struct iv_json *j, const char *name, const struct iv_lengths *lengths)
{
    iv_json_open_object(j, name);
    iv_json_int(j, "count", lengths->count);
    write_length(j, "p50", lengths, lengths->p50);
    write_length(j, "p90", lengths, lengths->p90);
    write_length(j, "max", lengths, lengths->max);
    iv_json_close_object(j);
}

static void write_remediation(struct iv_json *j, const struct iv_remediation *r, iv_ns from, iv_ns until)
{
    iv_json_open_object(j, NULL);
    iv_json_time(j, "from", from);
    iv_json_time(j, "to", until);
    iv_json_bool(j, "whole", r->whole);
    iv_json_open_object(j, "executions");
    for (unsigned i = 0; i < IV_RUN_STATES; i++) {
        iv_json_int(j, iv_run_state_name((enum iv_run_state)i), r->executions[i]);
    }
    iv_json_close_object(j);
    iv_json_open_object(j, "times");
    write_lengths(j, "detect", &r->detect);
    write_lengths(j, "act", &r->act);
    write_lengths(j, "contain", &r->contain);
    iv_json_close_object(j);
    iv_json_close_object(j);
}

/* Not asked for: the day before now, to the minute, so that an answer has one ETag while nothing happens. */
static void find_period(iv_ns *from, iv_ns *until)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns minute = 60 * IV_NS_PER_S;
    *until = *until == IV_NS_MAX ? (iv_wall(&clock) / minute + 1) * minute : *until;
    *from = *from == IV_NS_MIN ? iv_ns_add(*until, -DAY) : *from;
}

void iv_answer_remediation(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_remediation found;
    iv_ns from = 0;
    iv_ns until = 0;
    if (!iv_query_period(&from, &until, request, reply)) {
        return;
    }
    find_period(&from, &until);
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = iv_reader_remediation(reader, &found, from, until, &err);
    iv_readers_return(request->console->readers, reader);
    if (iv_ok(rc)) {
        struct iv_json j = iv_json_to(&reply->body);
        write_remediation(&j, &found, from, until);
    }
    iv_page_reply(reply, rc, &err);
}
