/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/answer.h"

#include "base/guard.h"
#include "base/log.h"
#include "baseline/baseline.h"
#include "evidence/own.h"
#include "respond/alert/alert.h"
#include "respond/playbook.h"

#include <stdio.h>
#include <string.h>

/* The memory is bounded: of more rules than it holds, and of longer names, each finding is logged. */
static bool is_known_stranger(struct iv_answerer *a, struct iv_str rule)
{
    for (size_t i = 0; i < a->stranger_count; i++) {
        if (iv_str_eq(iv_str_of(a->strangers[i]), rule)) {
            return true;
        }
    }
    if (a->stranger_count < IV_STRANGERS_MAX && rule.n < IV_STRANGER_BYTES) {
        char *place = a->strangers[a->stranger_count++];
        memcpy(place, rule.p, rule.n);
        place[rule.n] = '\0';
    }
    return false;
}

static bool calls_for_action(const struct iv_finding *f)
{
    return f->kind == IV_VIOLATED && f->mode == IV_MODE_ENFORCE && !f->suppressed;
}

static int shown(struct iv_str s, size_t most)
{
    return (int)(s.n < most ? s.n : most);
}

static iv_rc answer_stranger(struct iv_answerer *a, const struct iv_told_finding *told, iv_ns wall,
                             struct iv_err *err)
{
    const struct iv_finding *f = &told->row;
    char why[320];
    (void)snprintf(why, sizeof why,
                   "the rule '%.*s' of baseline %.*s is not in this responder's baseline %.12s, which cannot "
                   "answer its findings",
                   shown(f->rule, 128), f->rule.p, shown(told->baseline, 12), told->baseline.p,
                   a->baseline->digest_hex);
    iv_series_add(iv_metrics_only(a->metrics, IV_METRIC_UNANSWERED), 1);
    if (!is_known_stranger(a, f->rule)) {
        LOG_ERROR("respond.unknown_rule", KV_STR("rule", f->rule), KV_TEXT("why", why));
    }
    if (a->alerter != NULL) {
        TRY(iv_alerter_condition(a->alerter, a->store, IV_CONDITION_RULE_UNKNOWN, false, f->rule,
                                 iv_str_of(why), wall, err));
    }
    return told->playbook.n == 0 ? IV_OK
                                 : iv_respond_unplannable(a->playbooks, a->store, f, told->playbook, why,
                                                          a->baseline, wall, err);
}

/* How another monitor does is shown as told of (evidence/own.h), and alerted of where that one cannot. */
static iv_rc answer_own(struct iv_answerer *a, const struct iv_told_finding *told, iv_ns wall,
                        struct iv_err *err)
{
    enum iv_put put = IV_PUT_SAME;
    TRY(iv_store_take_finding(a->store, &put, &told->row, err));
    return a->alerter == NULL || put == IV_PUT_SAME
               ? IV_OK
               : iv_alerter_own(a->alerter, a->store, &told->row, told->detail, wall, err);
}

iv_rc iv_answer_told(struct iv_answerer *a, struct iv_told_finding *told, iv_ns wall, struct iv_err *err)
{
    enum iv_put put = IV_PUT_SAME;
    if (iv_own_is(told->row.rule)) {
        return answer_own(a, told, wall, err);
    }
    TRY(iv_store_put_finding(a->store, &put, &told->row,
                             err)); /* whoever shows it may not have read it yet */
    TRY(iv_store_take_finding(a->store, &put, &told->row, err));
    if (put == IV_PUT_SAME) {
        return IV_OK;
    }
    if (a->alerter != NULL) {
        TRY(iv_alerter_finding(a->alerter, a->store, &told->row, put, wall, err));
    }
    told->verdict.rule = iv_baseline_rule(a->baseline, told->row.rule);
    if (told->verdict.rule == NULL) {
        return calls_for_action(&told->row) ? answer_stranger(a, told, wall, err) : IV_OK;
    }
    return iv_respond_plan(a->playbooks, a->store, &told->row, &told->verdict, a->baseline, wall, err);
}
