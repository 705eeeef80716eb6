/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of remediation. It is concluded from the store alone, in the transaction that queues
 * the notices: whenever the process is gone, nothing is lost, and nothing told twice. */
#include "base/guard.h"
#include "evidence/vain.h"
#include "respond/alert/alert_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define FACT "alerts.vain" /* the last change of the log that was looked at */
/* What ended just before anybody was to be told is told all the same; what is older is not news. */
#define TOLD_SINCE (600 * IV_NS_PER_S)
#define SAID_EVERY (3600 * IV_NS_PER_S)
#define DETAIL_MAX 480

static iv_rc read_fact(struct iv_store *store, int64_t *out, iv_ns now, struct iv_err *err)
{
    TRY(iv_alerter_fact(store, out, FACT, err));
    return *out < 0 ? iv_store_log_before(store, out, now - TOLD_SINCE, err) : IV_OK;
}

static int shown(struct iv_str s, size_t most)
{
    return (int)(s.n < most ? s.n : most);
}

static void describe(char out[DETAIL_MAX], const struct iv_vain *v, int64_t count)
{
    (void)snprintf(out, DETAIL_MAX, "%s%.*s%s%.*s of %.*s is %.*s: %.*s%s", v->step.n > 0 ? "step '" : "",
                   shown(v->step, 60), v->step.n > 0 ? v->step.p : "", v->step.n > 0 ? "' of " : "",
                   shown(v->playbook, 80), v->playbook.p, shown(v->target, 80), v->target.p,
                   shown(v->state, 16), v->state.p, shown(v->cause, 160), v->cause.p,
                   count > 1 ? "; and others" : "");
}

static iv_rc tell_vain(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_vain last;
    char detail[DETAIL_MAX];
    int64_t after = 0;
    int64_t seen = 0;
    int64_t count = 0;
    iv_arena_init(&arena, 0);
    TRY(read_fact(store, &after, now, err));
    TRY(iv_store_vain(store, &last, &count, &seen, after, &arena, err));
    if (count > 0) {
        describe(detail, &last, count);
        TRY(iv_alerter_condition(a, store, IV_CONDITION_REMEDIATION_FAILED, false, IV_STR(""),
                                 iv_str_of(detail), now, err));
    }
    *any = *any || count > 0;
    return seen > after ? iv_alerter_put_fact(store, FACT, seen, err) : IV_OK;
}

/* Said when the first one waits, and each hour while any does. */
static iv_rc tell_waiting(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                          struct iv_err *err)
{
    struct iv_alert there;
    char detail[96];
    bool waits = false;
    int64_t count = 0;
    TRY(iv_store_any_waits(store, &waits, err));
    TRY(iv_alerter_find_condition(a, store, &there, IV_CONDITION_APPROVAL_NEEDED, err));
    if (waits == there.firing && (!waits || now - there.last < SAID_EVERY)) {
        return IV_OK;
    }
    *any = true;
    if (waits) {
        TRY(iv_store_waiting(store, &count, err));
    }
    (void)snprintf(detail, sizeof detail, "%" PRId64 " executions wait: invigil respond list", count);
    return iv_alerter_condition(a, store, IV_CONDITION_APPROVAL_NEEDED, !waits, IV_STR(""),
                                waits ? iv_str_of(detail) : IV_STR("nothing waits any more"), now, err);
}

iv_rc iv_alerter_remediation(struct iv_alerter *a, struct iv_store *store, bool *any, iv_ns now,
                             struct iv_err *err)
{
    if (a->alerting->sink_count == 0) {
        return IV_OK;
    }
    TRY(tell_vain(a, store, any, now, err));
    return tell_waiting(a, store, any, now, err);
}
