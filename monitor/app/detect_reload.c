/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commit.h"
#include "app/detect_coverage.h"
#include "app/detect_internal.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "respond/playbook.h"

#include <string.h>

/* All that changes with the baseline. */
struct taking {
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks;
    struct iv_decoder *decoder;
    struct iv_judge *judge;
    struct iv_commit *commit;
    bool *complained;
};

static void taking_free(struct taking *t)
{
    iv_judge_free(t->judge);
    iv_decoder_free(t->decoder);
    iv_commit_free(t->commit);
    iv_free(t->complained);
    iv_baseline_unref(t->baseline);
    iv_playbooks_unref(t->playbooks);
}

void iv_detect_reload(struct iv_detect *detect, struct iv_baseline *baseline, struct iv_playbooks *playbooks)
{
    struct iv_detect *d = detect;
    (void)pthread_mutex_lock(&d->next_lock);
    struct iv_baseline *forgone = d->next;
    struct iv_playbooks *forgone_playbooks = d->next_playbooks;
    d->next = iv_baseline_ref(baseline);
    d->next_playbooks = iv_playbooks_ref(playbooks);
    atomic_store(&d->next_waits, true);
    (void)pthread_mutex_unlock(&d->next_lock);
    iv_baseline_unref(forgone);
    iv_playbooks_unref(forgone_playbooks);
}

static void fetch(struct iv_detect *d, struct taking *t)
{
    (void)pthread_mutex_lock(&d->next_lock);
    t->baseline = TAKE(d->next);
    t->playbooks = TAKE(d->next_playbooks);
    atomic_store(&d->next_waits, false);
    (void)pthread_mutex_unlock(&d->next_lock);
}

/* The rule of the same id and digest, NULL if there is none. */
static const struct iv_rule *same_rule(const struct iv_baseline *baseline, const struct iv_rule *rule)
{
    const struct iv_rule *other = iv_baseline_rule(baseline, rule->id);
    return other != NULL && memcmp(other->digest, rule->digest, sizeof rule->digest) == 0 ? other : NULL;
}

static iv_rc prepare(struct iv_detect *d, struct taking *t, struct iv_err *err)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct iv_judge_options judge = d->judging;
    judge.baseline = t->baseline;
    judge.from = d->judge;
    t->complained = iv_calloc(t->baseline->rule_count, sizeof *t->complained);
    ENSURE(t->complained != NULL, err, IV_E_NOMEM, "cannot allocate the detector");
    for (size_t i = 0; i < t->baseline->rule_count; i++) {
        const struct iv_rule *before = same_rule(d->baseline, t->baseline->rules[i]);
        t->complained[i] = before != NULL && d->complained[before->index];
    }
    TRY(iv_decoder_new(&t->decoder, t->baseline->catalogue, &limits, d->judging.hash_key, err));
    TRY(iv_commit_new(&t->commit, t->baseline, err));
    return iv_judge_new(&t->judge, &judge, err);
}

static void swap_in(struct iv_detect *d, struct taking *t)
{
    iv_detect_count_signatures(d);
    d->signatures = 0;
    struct taking old = {d->baseline, d->playbooks, d->decoder, d->judge, d->commit, d->complained};
    (void)pthread_mutex_lock(&d->hand_lock);
    d->playbooks = t->playbooks;
    (void)pthread_mutex_unlock(&d->hand_lock);
    d->baseline = t->baseline;
    d->decoder = t->decoder;
    d->judge = t->judge;
    d->commit = t->commit;
    d->complained = t->complained;
    iv_detect_cover_policy(d);
    *t = old;
}

static void tell(const struct iv_detect *d, const struct iv_baseline *before, iv_ns pause)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->baseline->rule_count; i++) {
        kept += same_rule(before, d->baseline->rules[i]) != NULL ? 1 : 0;
    }
    LOG_INFO("detect.baseline.in_force", KV_STR("baseline", d->baseline->name),
             KV_TEXT("digest", d->baseline->digest_hex), KV_I64("rules_kept", (int64_t)kept),
             KV_I64("rules_started", (int64_t)(d->baseline->rule_count - kept)),
             KV_I64("rules_gone", (int64_t)(before->rule_count - kept)),
             KV_F64("pause_s", (double)pause / 1e9));
}

iv_rc iv_detect_take_up(struct iv_detect *d, struct iv_err *err)
{
    if (!atomic_load(&d->next_waits)) {
        return IV_OK;
    }
    struct taking t = {NULL};
    struct iv_err why = {.text = ""};
    iv_ns begun = iv_monotonic(&d->clock);
    fetch(d, &t);
    /* What was found so far belongs to the baseline that found it. */
    struct iv_rc_s rc = iv_detect_hand_over(d, true, err);
    rc = iv_ok(rc) ? iv_judge_settle(d->judge, err) : rc;
    if (!iv_ok(rc)) {
        taking_free(&t);
        return rc;
    }
    if (!iv_ok(prepare(d, &t, &why))) {
        d->on_reloaded(d->ctx, t.baseline, &why);
        taking_free(&t);
        return IV_OK;
    }
    swap_in(d, &t);
    tell(d, t.baseline, iv_monotonic(&d->clock) - begun);
    taking_free(&t);
    d->commit->takes_force = true;
    d->on_reloaded(d->ctx, d->baseline, NULL);
    return iv_detect_hand_over(d, true, err);
}
