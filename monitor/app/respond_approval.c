/* SPDX-License-Identifier: Apache-2.0 */
#include "app/respond_approval.h"
#include "app/account_change.h"
#include "app/store_option.h"

#include "app/signer_file.h"
#include "base/clock.h"
#include "base/guard.h"
#include "event/sign.h"
#include "evidence/reader.h"
#include "respond/approval.h"
#include "respond/approvers.h"
#include "respond/moves.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIST_MOST 1000
#define STEPS_MOST 64
#define APPROVALS_MOST 256
#define NEEDS_MAX_BYTES 4096
#define STATEMENT_MAX_BYTES (256u << 10)

static bool print_waiting(void *ctx, const struct iv_execution *e)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf until;
    iv_buf_init(&until, 64);
    iv_ns_format(&until, e->expires);
    printf(IV_STR_FMT "  " IV_STR_FMT "  " IV_STR_FMT "  until " IV_STR_FMT "  " IV_STR_FMT "\n",
           IV_STR_ARG(e->key), IV_STR_ARG(e->playbook), IV_STR_ARG(e->target),
           IV_STR_ARG(iv_buf_slice(&until)), IV_STR_ARG(e->cause));
    ++*(size_t *)ctx;
    return true;
}

iv_rc iv_respond_list(const struct respond_args *a, struct iv_str store, const char *execution,
                      struct iv_err *err)
{
    (void)a;
    (void)execution;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    const struct iv_execution_filter filter = {.states = 1u << IV_RUN_WAITING, .limit = LIST_MOST};
    size_t count = 0;
    TRY(iv_reader_open(&reader, store, err));
    TRY(iv_reader_executions(reader, &filter, print_waiting, &count, err));
    if (count == 0 || count == LIST_MOST) {
        printf("%s\n", count == 0 ? "Nothing waits for approval." : "There may be more.");
    }
    return IV_OK;
}

/* An execution as one transaction sees it. */
struct file {
    struct iv_arena arena;
    struct iv_task *steps;
    size_t step_count;
    struct iv_approval *approvals;
    size_t approval_count;
};

static void file_deinit(struct file *f)
{
    iv_arena_deinit(&f->arena);
}

static iv_rc read_file(struct file *f, struct iv_store *store, struct iv_str key, struct iv_err *err)
{
    TRY(iv_store_tasks(store, &f->steps, &f->step_count, IV_TASKS_OF, key, 0, STEPS_MOST, &f->arena, err));
    ENSURE(f->step_count > 0, err, IV_E_REFUSED, "there is no execution '" IV_STR_FMT "' with steps here",
           IV_STR_ARG(key));
    return iv_store_approvals(store, &f->approvals, &f->approval_count, key, APPROVALS_MOST, &f->arena, err);
}

static void print_needs(const struct iv_consents *needs)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, NEEDS_MAX_BYTES);
    iv_consents_write(&text, needs);
    printf(IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&text)));
}

/* Where some have said so. */
static void print_missing(const struct file *f, struct iv_consents needs)
{
    bool any = false;
    for (size_t i = 0; i < f->approval_count; i++) {
        const struct iv_approval *a = &f->approvals[i];
        if (a->approve && iv_str_eq(a->verdict, IV_STR(IV_APPROVAL_COUNTS))) {
            iv_consents_take(&needs, a->role);
            any = true;
        }
    }
    if (any) {
        printf("missing    ");
        print_needs(&needs);
        printf("\n");
    }
}

static void print_steps(const struct file *f)
{
    for (size_t i = 0; i < f->step_count; i++) {
        const struct iv_step *s = &f->steps[i].step;
        printf("step       " IV_STR_FMT " (" IV_STR_FMT "): %s\n           " IV_STR_FMT "\n",
               IV_STR_ARG(s->name), IV_STR_ARG(s->kind), iv_step_state_name(s->state),
               IV_STR_ARG(s->request));
        if (s->cause.n > 0) {
            printf("           " IV_STR_FMT "\n", IV_STR_ARG(s->cause));
        }
        if (s->expectation.n > 0) {
            printf("           expects " IV_STR_FMT "\n", IV_STR_ARG(s->expectation));
        }
        if (s->evidence.n > 0) {
            printf("           evidence " IV_STR_FMT "\n", IV_STR_ARG(s->evidence));
        }
    }
}

static void print_approvals(const struct file *f)
{
    for (size_t i = 0; i < f->approval_count; i++) {
        const struct iv_approval *a = &f->approvals[i];
        printf("%s   by " IV_STR_FMT " (" IV_STR_FMT "): " IV_STR_FMT "\n",
               a->approve ? "approval" : "denial  ", IV_STR_ARG(a->key), IV_STR_ARG(a->role),
               IV_STR_ARG(a->verdict));
        if (a->reason.n > 0) {
            printf("           reason " IV_STR_FMT "\n", IV_STR_ARG(a->reason));
        }
    }
}

static void print_file(const struct file *f)
{
    const struct iv_execution *e = &f->steps[0].execution;
    printf("execution  " IV_STR_FMT "\nplaybook   " IV_STR_FMT "\ntarget     " IV_STR_FMT
           "\nfinding    " IV_STR_FMT "\nrule       " IV_STR_FMT
           "\nfindings   %lld\nstate      %s\ncause      " IV_STR_FMT "\n",
           IV_STR_ARG(e->key), IV_STR_ARG(e->playbook), IV_STR_ARG(e->target), IV_STR_ARG(e->finding),
           IV_STR_ARG(e->rule), (long long)e->findings, iv_run_state_name(e->state), IV_STR_ARG(e->cause));
    if (e->state == IV_RUN_WAITING) {
        IV_AUTO(iv_buf_deinit) struct iv_buf until;
        iv_buf_init(&until, 64);
        iv_ns_format(&until, e->expires);
        const struct iv_consents needs = iv_consents_of(e->approvers, e->quorum);
        printf("needs      ");
        print_needs(&needs);
        printf(", until " IV_STR_FMT "\n", IV_STR_ARG(iv_buf_slice(&until)));
        print_missing(f, needs);
    }
    print_steps(f);
    print_approvals(f);
}

iv_rc iv_respond_show(const struct respond_args *a, struct iv_str path, const char *execution,
                      struct iv_err *err)
{
    (void)a;
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    IV_AUTO(file_deinit) struct file f = {.steps = NULL};
    iv_arena_init(&f.arena, 0);
    TRY(iv_store_option_open(&store, path, err));
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = read_file(&f, store, iv_str_of(execution), err);
    iv_store_rollback(store);
    TRY(rc);
    print_file(&f);
    return IV_OK;
}

static void keep_first(void *ctx, struct iv_str role)
{
    struct iv_str *first = ctx;
    *first = first->n == 0 ? role : *first;
}

/* "security" of "security on-call", when no role was given. */
static struct iv_str first_role(struct iv_str roles)
{
    struct iv_str first = IV_STR("");
    iv_approvers_each(roles, keep_first, &first);
    return first;
}

static iv_rc give(struct iv_store *store, const struct respond_args *a, const struct iv_signer *signer,
                  const char *execution, bool approve, struct iv_err *err)
{
    IV_AUTO(file_deinit) struct file f = {.steps = NULL};
    IV_AUTO(iv_buf_deinit) struct iv_buf statement;
    struct iv_clock clock = iv_clock_system();
    unsigned char signature[64];
    iv_arena_init(&f.arena, 0);
    iv_buf_init(&statement, STATEMENT_MAX_BYTES);
    TRY(read_file(&f, store, iv_str_of(execution), err));
    const struct iv_execution *e = &f.steps[0].execution;
    ENSURE(e->state == IV_RUN_WAITING, err, IV_E_REFUSED, "execution '%s' does not wait: it is %s", execution,
           iv_run_state_name(e->state));
    struct iv_approval approval = {
        .execution = e->key,
        .approve = approve,
        .role = a->role == NULL ? first_role(e->approvers) : iv_str_of(a->role),
        .key = iv_str_of(a->id),
        .at = iv_wall(&clock),
        .reason = a->reason == NULL ? IV_STR("") : iv_str_of(a->reason),
    };
    TRY(iv_approval_statement(&statement, &approval, f.steps, f.step_count, err));
    iv_sign(signature, signer, iv_buf_slice(&statement));
    approval.signature = (struct iv_str){(const char *)signature, sizeof signature};
    TRY(iv_store_put_approval(store, &approval, err));
    printf("Signed by '%s' as " IV_STR_FMT ": " IV_STR_FMT
           "\nThe daemon says whether it counts: invigil respond show\n",
           a->id, IV_STR_ARG(approval.role), IV_STR_ARG(iv_buf_slice(&statement)));
    return IV_OK;
}

static iv_rc say(const struct respond_args *a, struct iv_str path, const char *execution, bool approve,
                 struct iv_err *err)
{
    IV_AUTO(iv_signer_freep) struct iv_signer *signer = NULL;
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    ENSURE(a->key != NULL && a->id != NULL, err, IV_E_REFUSED,
           "an approval and a denial are signed: --key FILE and --id ID are needed");
    TRY(iv_signer_read(&signer, a->key, err));
    TRY(iv_store_option_open(&store, path, err));
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = give(store, a, signer, execution, approve, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

iv_rc iv_respond_approve(const struct respond_args *a, struct iv_str store, const char *execution,
                         struct iv_err *err)
{
    return say(a, store, execution, true, err);
}

iv_rc iv_respond_deny(const struct respond_args *a, struct iv_str store, const char *execution,
                      struct iv_err *err)
{
    return say(a, store, execution, false, err);
}

static iv_rc take_back(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct iv_undo_order *order = ctx;
    struct iv_clock clock = iv_clock_system();
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    size_t moved = 0;
    iv_arena_init(&arena, 0);
    TRY(iv_move_undo(store, &moved, order, iv_wall(&clock), &arena, err));
    ENSURE(moved > 0, err, IV_E_REFUSED,
           "there is nothing of execution '" IV_STR_FMT "' that could be taken back",
           IV_STR_ARG(order->execution));
    printf("%zu steps are taken back now.\n", moved);
    return IV_OK;
}

iv_rc iv_respond_undo(const struct respond_args *a, struct iv_str path, const char *execution,
                      struct iv_err *err)
{
    struct iv_undo_order order = {.execution = iv_str_of(execution),
                                  .who = iv_store_option_user(),
                                  .reason = a->reason == NULL ? IV_STR("") : iv_str_of(a->reason)};
    const struct iv_account_change change = {.what = "execution.undo",
                                             .object = order.execution,
                                             .detail = order.reason,
                                             .make = take_back,
                                             .ctx = &order};
    return iv_account_change(path, &change, err);
}
