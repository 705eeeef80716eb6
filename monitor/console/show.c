/* SPDX-License-Identifier: Apache-2.0 */
#include "console/show.h"

#include "console/page.h"
#include "console/roles.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/guard.h"
#include "evidence/alert.h"
#include "evidence/times.h"
#include "evidence/triage.h"

#include <math.h>

void iv_show_time(struct iv_json *j, const char *name, iv_ns t)
{
    if (t == 0) {
        iv_json_null(j, name);
    } else {
        iv_json_time(j, name, t);
    }
}

void iv_show_optional(struct iv_json *j, const char *name, struct iv_str s)
{
    if (s.n == 0) {
        iv_json_null(j, name);
    } else {
        iv_json_str(j, name, s);
    }
}

/* "CC6.1 CC6.3" */
void iv_show_criteria(struct iv_json *j, struct iv_str list)
{
    iv_json_open_list(j, "criteria");
    while (list.n > 0) {
        const char *space = memchr(list.p, ' ', list.n);
        size_t n = space == NULL ? list.n : (size_t)(space - list.p);
        iv_json_str(j, NULL, (struct iv_str){list.p, n});
        list.p += space == NULL ? n : n + 1;
        list.n -= space == NULL ? n : n + 1;
    }
    iv_json_close_list(j);
}

void iv_show_finding(struct iv_json *j, const char *name, const struct iv_finding *f)
{
    iv_json_open_object(j, name);
    iv_json_str(j, "uid", f->uid);
    iv_json_int(j, "seq", f->seq);
    iv_json_text(j, "verdict", iv_verdict_kind_name(f->kind));
    iv_json_str(j, "rule", f->rule);
    iv_json_str(j, "title", f->title);
    iv_json_text(j, "severity", iv_severity_name(f->severity));
    iv_json_text(j, "mode", iv_mode_name(f->mode));
    iv_json_bool(j, "suppressed", f->suppressed);
    iv_show_criteria(j, f->criteria);
    iv_show_optional(j, "tenant", f->tenant);
    iv_show_optional(j, "agent", f->agent);
    iv_json_open_object(j, "trigger");
    iv_json_str(j, "source", f->trigger_source);
    iv_json_str(j, "id", f->trigger_id);
    iv_json_str(j, "type", f->trigger_type);
    iv_json_close_object(j);
    iv_json_time(j, "time", f->time);
    iv_show_time(j, "detected", f->detected);
    iv_json_int(j, "witnesses", f->witnesses);
    iv_show_optional(j, "action", f->action);
    iv_json_text(j, "state", iv_triage_state_name(f->triage));
    iv_show_optional(j, "assignee", f->assignee);
    iv_json_close_object(j);
}

/* JSON that the store keeps; null where there is none. */
static void show_json(struct iv_json *j, const char *name, struct iv_str json)
{
    if (json.n > 0) {
        iv_json_raw(j, name, json);
    } else {
        iv_json_null(j, name);
    }
}

static bool show_step(void *ctx, const struct iv_step *s)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_int(j, "position", s->position);
    iv_json_str(j, "key", s->key);
    iv_json_str(j, "name", s->name);
    iv_json_str(j, "kind", s->kind);
    iv_json_text(j, "state", iv_step_state_name(s->state));
    iv_show_optional(j, "cause", s->cause);
    iv_json_int(j, "attempt", s->attempt);
    iv_json_int(j, "attempts", s->attempts);
    iv_json_int(j, "status", s->status);
    iv_show_time(j, "due", s->state == IV_STEP_DUE ? s->due : 0);
    if (s->undoes > 0) {
        iv_json_int(j, "undoes", s->undoes - 1);
    } else {
        iv_json_null(j, "undoes");
    }
    iv_show_time(j, "started", s->started);
    iv_show_time(j, "done", s->done);
    iv_show_time(j, "finished", iv_step_awaits(s) ? 0 : s->finished);
    show_json(j, "expectation", s->expectation);
    show_json(j, "evidence", s->evidence);
    iv_json_close_object(j);
    return true;
}

static void show_length(struct iv_json *j, const char *name, iv_ns length)
{
    if (length < 0) {
        iv_json_null(j, name);
    } else {
        iv_json_real(j, name, (double)length / 1e9);
    }
}

static void show_times(struct iv_json *j, const struct iv_execution *e)
{
    struct iv_times times = iv_times_of(e);
    iv_json_open_object(j, "times");
    show_length(j, "detect", times.detect);
    show_length(j, "act", times.act);
    show_length(j, "contain", times.contain);
    iv_json_close_object(j);
}

iv_rc iv_show_execution(struct iv_json *j, const char *name, struct iv_reader *reader,
                        const struct iv_execution *e, struct iv_err *err)
{
    iv_json_open_object(j, name);
    iv_json_str(j, "key", e->key);
    iv_json_int(j, "seq", e->seq);
    iv_json_str(j, "finding", e->finding);
    iv_json_str(j, "playbook", e->playbook);
    iv_json_str(j, "title", e->title);
    iv_show_optional(j, "target", e->target);
    iv_json_str(j, "rule", e->rule);
    iv_json_text(j, "severity", iv_severity_name(e->severity));
    iv_show_optional(j, "tenant", e->tenant);
    iv_show_optional(j, "agent", e->agent);
    iv_json_text(j, "mode", e->observed ? "observe" : "enforce");
    iv_json_text(j, "state", iv_run_state_name(e->state));
    iv_show_optional(j, "cause", e->cause);
    iv_show_time(j, "event_time", e->event_time);
    iv_show_time(j, "planned", e->planned);
    iv_show_time(j, "started", e->started);
    iv_show_time(j, "finished", e->finished);
    show_times(j, e);
    iv_json_int(j, "findings", e->findings);
    iv_json_open_list(j, "steps");
    TRY(iv_reader_steps(reader, e->key, show_step, j, err));
    iv_json_close_list(j);
    iv_json_close_object(j);
    return IV_OK;
}

void iv_show_waiver(struct iv_json *j, const struct iv_console_waiver *w)
{
    iv_json_str(j, "author", w->author);
    iv_json_str(j, "reason", w->reason);
    iv_json_time(j, "created", w->created);
    iv_json_time(j, "until", w->until);
    iv_show_time(j, "ended", w->ended);
    iv_show_optional(j, "ended_by", w->ended_by);
}

bool iv_show_sink(void *ctx, const struct iv_alert_sink_state *sink)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_json *j = ctx;
    double age = sink->oldest == 0 ? 0 : (double)(iv_wall(&clock) - sink->oldest) / 1e9;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "name", sink->name);
    iv_json_str(j, "kind", sink->kind);
    iv_json_int(j, "waiting", sink->waiting);
    iv_json_real(j, "oldest_seconds", age > 0 ? round(age * 1e3) / 1e3 : 0);
    iv_show_time(j, "last_success", sink->succeeded);
    iv_show_time(j, "failing_since", sink->failing);
    iv_show_optional(j, "why", sink->why);
    iv_json_close_object(j);
    return true;
}

struct listing {
    struct iv_json *j;
    struct iv_reader *reader;
    struct iv_err *err;
    struct iv_rc_s rc;
};

static bool list_one(void *ctx, const struct iv_execution *execution)
{
    struct listing *l = ctx;
    l->rc = iv_show_execution(l->j, NULL, l->reader, execution, l->err);
    return iv_ok(l->rc) && !iv_page_is_full(l->j);
}

iv_rc iv_show_executions(struct iv_json *j, const char *name, struct iv_reader *reader,
                         const struct iv_execution_filter *filter, int64_t *next, struct iv_err *err)
{
    struct listing l = {.j = j, .reader = reader, .err = err, .rc = IV_OK};
    iv_json_open_list(j, name);
    TRY(iv_reader_executions_page(reader, filter, next, list_one, &l, err));
    TRY(l.rc);
    iv_json_close_list(j);
    return IV_OK;
}

void iv_show_roles(struct iv_json *j, unsigned roles)
{
    iv_json_open_list(j, "roles");
    for (unsigned i = 0; i < IV_ROLES; i++) {
        if ((roles & 1u << i) != 0) {
            iv_json_text(j, NULL, iv_role_name((enum iv_user_role)i));
        }
    }
    iv_json_close_list(j);
}
