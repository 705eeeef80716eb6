/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/incidents: findings of one rule, tenant and agent as one. */
#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/filter.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/incident_times.h"

#define DAY (86400 * IV_NS_PER_S)
#define SHOWN_MAX (400 * DAY) /* of a course */

struct listing {
    struct iv_json j;
    struct iv_reader *reader;
    iv_ns from; /* of the course that is shown */
    iv_ns until;
    size_t count;
    int64_t last;
    struct iv_rc_s rc;
    struct iv_err *err;
};

static iv_rc write_sparks(struct listing *l, int64_t incident)
{
    int64_t counts[IV_SPARKS];
    TRY(iv_reader_sparks(l->reader, counts, incident, l->from, l->until, l->err));
    iv_json_open_list(&l->j, "spark");
    for (size_t i = 0; i < IV_SPARKS; i++) {
        iv_json_int(&l->j, NULL, counts[i]);
    }
    iv_json_close_list(&l->j);
    return IV_OK;
}

static void write_length(struct iv_json *j, const char *name, iv_ns length)
{
    if (length >= 0) {
        iv_json_real(j, name, (double)length / 1e9);
    } else {
        iv_json_null(j, name);
    }
}

static iv_rc write_times(struct listing *l, const struct iv_incident *i)
{
    struct iv_incident_times times;
    struct iv_json *j = &l->j;
    TRY(iv_reader_incident_times(l->reader, &times, i, l->err));
    iv_json_open_object(j, "times");
    iv_show_time(j, "detected", times.detected);
    iv_show_time(j, "acted", times.acted);
    iv_show_time(j, "contained", times.contained);
    write_length(j, "detect", times.detect);
    write_length(j, "act", times.act);
    write_length(j, "contain", times.contain);
    iv_show_optional(j, "not_acted", iv_str_of(times.not_acted == NULL ? "" : times.not_acted));
    iv_show_optional(j, "not_contained", iv_str_of(times.not_contained == NULL ? "" : times.not_contained));
    iv_json_close_object(j);
    return IV_OK;
}

static bool write_incident(void *ctx, const struct iv_incident *i)
{
    struct listing *l = ctx;
    struct iv_json *j = &l->j;
    iv_json_open_object(j, NULL);
    iv_json_int(j, "id", i->id);
    iv_json_int(j, "seq", i->seq);
    iv_json_str(j, "rule", i->rule);
    iv_json_str(j, "title", i->title);
    iv_json_text(j, "severity", iv_severity_name(i->severity));
    iv_show_criteria(j, i->criteria);
    iv_show_optional(j, "tenant", i->tenant);
    iv_show_optional(j, "agent", i->agent);
    iv_json_int(j, "count", i->count);
    iv_json_int(j, "open", i->live);
    iv_json_int(j, "suppressed", i->waived);
    iv_json_text(j, "state", iv_triage_state_name(i->state));
    iv_show_optional(j, "assignee", i->assignee);
    iv_json_time(j, "first", i->first);
    iv_json_time(j, "last", i->last);
    iv_show_optional(j, "newest", i->newest);
    l->rc = write_times(l, i);
    l->rc = iv_ok(l->rc) ? write_sparks(l, i->id) : l->rc;
    iv_json_close_object(j);
    l->count++;
    l->last = i->seq;
    return iv_ok(l->rc) && !iv_page_is_full(j);
}

static iv_rc write_incidents(struct listing *l, const struct iv_finding_filter *filter)
{
    iv_json_open_object(&l->j, NULL);
    TRY(iv_page_place(&l->j, l->reader, l->err));
    iv_json_open_object(&l->j, "spark");
    iv_json_time(&l->j, "from", l->from);
    iv_json_time(&l->j, "to", l->until);
    iv_json_close_object(&l->j);
    iv_json_open_list(&l->j, "items");
    TRY(iv_reader_incidents(l->reader, filter, write_incident, l, l->err));
    TRY(l->rc);
    iv_json_close_list(&l->j);
    iv_page_next(&l->j, iv_page_goes_on(&l->j, l->count, filter->limit), l->last);
    iv_json_close_object(&l->j);
    return IV_OK;
}

/* The period that was asked for, or the day before now; to the minute, so that an answer has one ETag as long
 * as nothing happens. */
static void find_period(struct listing *l, const struct iv_finding_filter *filter)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns minute = 60 * IV_NS_PER_S;
    iv_ns now = (iv_wall(&clock) / minute + 1) * minute;
    l->until = filter->until == 0 || filter->until == IV_NS_MAX ? now : filter->until;
    l->from = filter->from == 0 || filter->from == IV_NS_MIN ? iv_ns_add(l->until, -DAY) : filter->from;
    if (l->from >= l->until) {
        l->from = iv_ns_add(l->until, -DAY);
    }
    iv_ns earliest = iv_ns_add(l->until, -SHOWN_MAX);
    l->from = l->from > earliest ? l->from : earliest;
}

void iv_answer_incidents(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_finding_filter filter;
    struct iv_err err;
    if (!iv_filter_read(&filter, request, reply)) {
        return;
    }
    struct listing l = {.j = iv_json_to(&reply->body), .rc = IV_OK, .err = &err};
    find_period(&l, &filter);
    l.reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_incidents(&l, &filter);
    iv_readers_return(request->console->readers, l.reader);
    iv_page_reply(reply, rc, &err);
}
