/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/executions/{key}: one execution with its log and what was said about it; taking it back. */
#include "console/executions.h"

#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/approvals.h"
#include "respond/approvers.h"
#include "respond/moves.h"

enum { LINES_MAX = 500, APPROVALS_MAX = 256 };

struct detail {
    struct iv_json j;
    struct iv_reader *reader;
    struct iv_rc_s rc;
    struct iv_err *err;
    bool found;
};

static bool write_line(void *ctx, const struct iv_action *action)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_time(j, "at", action->time);
    iv_json_str(j, "state", action->state);
    if (action->step < 0) {
        iv_json_null(j, "step");
    } else {
        iv_json_int(j, "step", action->step);
    }
    iv_show_optional(j, "cause", action->cause);
    iv_json_close_object(j);
    return true;
}

static bool write_approval(void *ctx, const struct iv_approval *a)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_time(j, "at", a->at);
    iv_json_text(j, "decision", a->approve ? "approve" : "deny");
    iv_json_str(j, "role", a->role);
    iv_json_str(j, "key", a->key);
    iv_show_optional(j, "reason", a->reason);
    iv_json_str(j, "verdict", a->verdict);
    iv_json_close_object(j);
    return true;
}

static void write_role(void *ctx, struct iv_str role)
{
    iv_json_str(ctx, NULL, role);
}

static void write_roles(struct iv_json *j, const struct iv_consent *consents, size_t count)
{
    iv_json_open_list(j, "roles");
    for (size_t i = 0; i < count; i++) {
        iv_approvers_each(consents[i].roles, write_role, j);
    }
    iv_json_close_list(j);
}

static bool take_approval(void *ctx, const struct iv_approval *a)
{
    if (a->approve) {
        iv_consents_take(ctx, a->role);
    }
    return true;
}

static iv_rc write_needs(struct detail *d, struct iv_str execution, const struct iv_consents *needs)
{
    struct iv_consents missing = *needs;
    TRY(iv_reader_counted_approvals(d->reader, execution, APPROVALS_MAX, take_approval, &missing, d->err));
    iv_json_open_list(&d->j, "needs");
    for (size_t i = 0; i < needs->count; i++) {
        iv_json_open_object(&d->j, NULL);
        write_roles(&d->j, &needs->items[i], 1);
        iv_json_int(&d->j, "approvals", needs->items[i].count);
        iv_json_int(&d->j, "missing", missing.items[i].count);
        iv_json_close_object(&d->j);
    }
    iv_json_close_list(&d->j);
    return IV_OK;
}

/* What it waits for; null: for nobody. */
static iv_rc write_waits(struct detail *d, const struct iv_execution *e)
{
    if (e->state != IV_RUN_WAITING) {
        iv_json_null(&d->j, "waits");
        return IV_OK;
    }
    const struct iv_consents needs = iv_consents_of(e->approvers, e->quorum);
    iv_json_open_object(&d->j, "waits");
    iv_json_int(&d->j, "approvals", e->quorum);
    write_roles(&d->j, needs.items, needs.count);
    TRY(write_needs(d, e->key, &needs));
    iv_json_time(&d->j, "until", e->expires);
    iv_json_close_object(&d->j);
    return IV_OK;
}

static iv_rc write_rest(struct detail *d, const struct iv_execution *e)
{
    iv_json_open_list(&d->j, "log");
    TRY(iv_reader_execution_log(d->reader, e->key, LINES_MAX, write_line, &d->j, d->err));
    iv_json_close_list(&d->j);
    iv_json_open_list(&d->j, "approvals");
    TRY(iv_reader_approvals(d->reader, e->key, APPROVALS_MAX, write_approval, &d->j, d->err));
    iv_json_close_list(&d->j);
    return write_waits(d, e);
}

static bool write_one(void *ctx, const struct iv_execution *e)
{
    struct detail *d = ctx;
    d->found = true;
    d->rc = iv_show_execution(&d->j, "execution", d->reader, e, d->err);
    d->rc = iv_ok(d->rc) ? write_rest(d, e) : d->rc;
    return iv_ok(d->rc);
}

static iv_rc write_execution(struct iv_buf *out, struct iv_reader *reader, struct iv_str key,
                             struct iv_err *err)
{
    struct detail d = {.j = iv_json_to(out), .reader = reader, .rc = IV_OK, .err = err};
    const struct iv_execution_filter filter = {.key = key, .limit = 1};
    iv_json_open_object(&d.j, NULL);
    TRY(iv_reader_executions(reader, &filter, write_one, &d, err));
    TRY(d.rc);
    ENSURE(d.found, err, IV_E_ABSENT, "there is no execution with this key");
    iv_json_close_object(&d.j);
    return IV_OK;
}

static iv_rc read_into(struct iv_buf *out, struct iv_request *request, struct iv_err *err)
{
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_execution(out, reader, request->variable, err);
    iv_readers_return(request->console->readers, reader);
    return rc;
}

void iv_answer_execution(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = read_into(&reply->body, request, &err);
    if (!iv_page_refused(reply, rc, &err)) {
        iv_page_reply(reply, rc, &err);
    }
}

void iv_execution_reply(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    iv_page_done(reply, read_into(&reply->body, request, &err), &err);
}

static iv_rc take_back(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct iv_undo_order *order = ctx;
    struct iv_clock clock = iv_clock_system();
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_task *tasks = NULL;
    size_t moved = 0;
    iv_arena_init(&arena, 0);
    TRY(iv_store_tasks(store, &tasks, &moved, IV_TASKS_OF, order->execution, 0, 1, &arena, err));
    ENSURE(moved > 0, err, IV_E_ABSENT, "there is no execution with this key and steps here");
    TRY(iv_move_undo(store, &moved, order, iv_wall(&clock), &arena, err));
    ENSURE(moved > 0, err, IV_E_REFUSED, "there is nothing of this execution that could be taken back");
    return IV_OK;
}

void iv_answer_undo(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    if (!iv_body_read(request, reply, NULL, 0)) {
        return;
    }
    struct iv_undo_order order = {
        .execution = request->variable, .who = iv_str_of(request->who.name), .reason = IV_STR("")};
    const struct iv_change change = {.what = "execution.undo",
                                     .object = request->variable,
                                     .detail = IV_STR(""),
                                     .make = take_back,
                                     .ctx = &order};
    if (!iv_page_refused(reply, iv_change_make(request, &change, &err), &err)) {
        iv_execution_reply(reply, request);
    }
}
