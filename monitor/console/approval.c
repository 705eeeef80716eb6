/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/executions/{key}/approval: what is to be signed to let an execution pass or to deny it, and the
 * signature. The private key stays with whoever has it. */
#include "respond/approval.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/executions.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "respond/ladder.h"

#include <stdio.h>

enum { SIGNATURE_BYTES = 64, NAME_BYTES_MAX = 128, REASON_BYTES_MAX = 256, STATEMENT_BYTES_MAX = 256 << 10 };

/* An execution and its steps, as one reader saw them. */
struct file {
    struct iv_arena *arena;
    struct iv_execution execution;
    struct iv_task steps[IV_EXECUTION_STEPS_MAX];
    size_t count;
    bool found;
    bool kept;
};

static bool keep_execution(void *ctx, const struct iv_execution *e)
{
    struct file *f = ctx;
    f->found = true;
    f->execution =
        (struct iv_execution){.key = e->key, .playbook = e->playbook, .target = e->target, .state = e->state};
    f->kept = iv_arena_keep(f->arena, &f->execution.key) && iv_arena_keep(f->arena, &f->execution.playbook) &&
              iv_arena_keep(f->arena, &f->execution.target);
    return false;
}

static bool keep_step(void *ctx, const struct iv_step *s)
{
    struct file *f = ctx;
    struct iv_task *task = &f->steps[f->count++];
    *task = (struct iv_task){.execution = f->execution, .step = *s};
    f->kept = f->kept && iv_arena_keep(f->arena, &task->step.name) &&
              iv_arena_keep(f->arena, &task->step.kind) && iv_arena_keep(f->arena, &task->step.request) &&
              iv_arena_keep(f->arena, &task->step.expectation);
    return f->kept && f->count < IV_EXECUTION_STEPS_MAX;
}

static iv_rc read_file(struct file *f, struct iv_reader *reader, struct iv_str key, struct iv_err *err)
{
    const struct iv_execution_filter filter = {.key = key, .limit = 1};
    TRY(iv_reader_executions(reader, &filter, keep_execution, f, err));
    ENSURE(f->found, err, IV_E_ABSENT, "there is no execution with this key");
    TRY(iv_reader_steps(reader, key, keep_step, f, err));
    ENSURE(f->kept, err, IV_E_NOMEM, "no memory left to read an execution");
    ENSURE(f->count > 0, err, IV_E_REFUSED, "the execution is another process's: it has no steps here");
    ENSURE(f->execution.state == IV_RUN_WAITING, err, IV_E_REFUSED, "the execution does not wait: it is %s",
           iv_run_state_name(f->execution.state));
    return IV_OK;
}

/* What the statement's `parameters` are the digest of, for whoever is to sign it. */
static iv_rc write_steps(struct iv_json *j, const struct file *f, struct iv_err *err)
{
    iv_json_open_list(j, "steps");
    for (size_t i = 0; i < f->count; i++) {
        const struct iv_step *step = &f->steps[i].step;
        IV_AUTO(iv_buf_deinit) struct iv_buf terms;
        iv_buf_init(&terms, STATEMENT_BYTES_MAX);
        TRY(iv_approval_terms(&terms, step, err));
        iv_json_open_object(j, NULL);
        iv_json_str(j, "name", step->name);
        iv_json_str(j, "kind", step->kind);
        iv_json_str(j, "request", step->request);
        iv_json_str(j, "terms", iv_buf_slice(&terms));
        iv_json_close_object(j);
    }
    iv_json_close_list(j);
    return IV_OK;
}

static iv_rc write_statement(struct iv_buf *out, struct iv_request *request, struct iv_approval *approval,
                             struct iv_err *err)
{
    struct file f = {.arena = &request->memory};
    IV_AUTO(iv_buf_deinit) struct iv_buf statement;
    iv_buf_init(&statement, STATEMENT_BYTES_MAX);
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = read_file(&f, reader, request->variable, err);
    iv_readers_return(request->console->readers, reader);
    TRY(rc);
    TRY(iv_approval_statement(&statement, approval, f.steps, f.count, err));
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "statement", iv_buf_slice(&statement));
    iv_json_time(&j, "at", approval->at);
    TRY(write_steps(&j, &f, err));
    iv_json_close_object(&j);
    return IV_OK;
}

static bool decision_parse(bool *approve, struct iv_str text, struct iv_reply *reply)
{
    *approve = iv_str_eq(text, IV_STR("approve"));
    if (!*approve && !iv_str_eq(text, IV_STR("deny"))) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "decision must be approve or deny, got '" IV_STR_FMT "'", IV_STR_ARG(text));
        return false;
    }
    return true;
}

static bool is_given(struct iv_str value, const char *name, struct iv_reply *reply)
{
    if (value.n == 0) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "'%s' is missing", name);
    }
    return value.n > 0;
}

/* To the microsecond, as a browser can say it again. */
static iv_ns moment(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_wall(&clock) / 1000 * 1000;
}

void iv_answer_statement(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    struct iv_str reason = iv_query_get(request, "reason");
    struct iv_approval approval = {.execution = request->variable,
                                   .role = iv_query_get(request, "role"),
                                   .key = iv_query_get(request, "key_id"),
                                   .reason = reason.p == NULL ? IV_STR("") : reason,
                                   .at = moment()};
    if (decision_parse(&approval.approve, iv_query_get(request, "decision"), reply) &&
        is_given(approval.role, "role", reply) && is_given(approval.key, "key_id", reply)) {
        iv_page_done(reply, write_statement(&reply->body, request, &approval, &err), &err);
    }
}

struct given {
    struct iv_approval approval;
    struct iv_str decision;
    struct iv_str at;
    struct iv_str signature;
    unsigned char bytes[SIGNATURE_BYTES];
};

static bool read_signature(struct given *g, struct iv_reply *reply)
{
    struct iv_buf bytes;
    iv_buf_init(&bytes, SIGNATURE_BYTES);
    bool good = iv_base64_decode(&bytes, g->signature) && bytes.n == SIGNATURE_BYTES;
    if (good) {
        memcpy(g->bytes, bytes.p, SIGNATURE_BYTES);
        g->approval.signature = (struct iv_str){(const char *)g->bytes, SIGNATURE_BYTES};
    } else {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "signature must be the base64 of an Ed25519 signature");
    }
    iv_buf_deinit(&bytes);
    return good;
}

static bool read_given(struct given *g, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_approval *a = &g->approval;
    struct iv_instant at;
    *g = (struct given){.approval = {.execution = request->variable, .reason = IV_STR("")}};
    const struct iv_body_member members[] = {
        {.name = "decision", .text = &g->decision, .required = true, .bytes_max = 16},
        {.name = "role", .text = &a->role, .required = true, .bytes_max = NAME_BYTES_MAX},
        {.name = "key", .text = &a->key, .required = true, .bytes_max = NAME_BYTES_MAX},
        {.name = "at", .text = &g->at, .required = true, .bytes_max = 64},
        {.name = "reason", .text = &a->reason, .bytes_max = REASON_BYTES_MAX},
        {.name = "signature", .text = &g->signature, .required = true, .bytes_max = 128},
    };
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) ||
        !decision_parse(&a->approve, g->decision, reply) || !is_given(a->role, "role", reply) ||
        !is_given(a->key, "key", reply)) {
        return false;
    }
    if (!iv_instant_parse(&at, g->at)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "at must be the time that the statement says, got '" IV_STR_FMT "'",
                         IV_STR_ARG(g->at));
        return false;
    }
    a->at = iv_instant_to_ns_saturated(at);
    return read_signature(g, reply);
}

/* Whether it counts is the responder's to say, which has the keys. */
static iv_rc put(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct iv_approval *a = ctx;
    struct iv_task *tasks = NULL;
    size_t count = 0;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    TRY(iv_store_tasks(store, &tasks, &count, IV_TASKS_OF, a->execution, 0, 1, &arena, err));
    ENSURE(count > 0, err, IV_E_ABSENT, "there is no execution with this key and steps here");
    ENSURE(tasks[0].execution.state == IV_RUN_WAITING, err, IV_E_REFUSED,
           "the execution does not wait: it is %s", iv_run_state_name(tasks[0].execution.state));
    return iv_store_put_approval(store, a, err);
}

void iv_answer_approve(struct iv_reply *reply, struct iv_request *request)
{
    struct given given;
    struct iv_err err = {.text = ""};
    char detail[2 * NAME_BYTES_MAX + 16];
    if (!read_given(&given, request, reply)) {
        return;
    }
    struct iv_approval *a = &given.approval;
    int n = snprintf(detail, sizeof detail, IV_STR_FMT " as " IV_STR_FMT, IV_STR_ARG(a->key),
                     IV_STR_ARG(a->role));
    const struct iv_change change = {.what = a->approve ? "execution.approve" : "execution.deny",
                                     .object = request->variable,
                                     .detail = {detail, (size_t)n},
                                     .make = put,
                                     .ctx = a};
    if (!iv_page_refused(reply, iv_change_make(request, &change, &err), &err)) {
        iv_execution_reply(reply, request);
    }
}
