/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/detect_internal.h"
#include "detect/worker.h"
#include "respond/playbook.h"

/* A baseline on its way into force here, with its cells. */
struct taking {
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks;
    struct iv_cell_next *cells; /* as many as the worker has */
};

static void taking_free(struct taking *t, size_t count)
{
    for (size_t i = 0; i < count && t->cells != NULL; i++) {
        iv_cell_drop(&t->cells[i]);
    }
    iv_free(t->cells);
    iv_baseline_unref(t->baseline);
    iv_playbooks_unref(t->playbooks);
}

/* What was found so far belongs to the baseline that found it. */
static iv_rc settle(struct iv_worker *w, struct iv_err *err)
{
    for (size_t i = 0; i < w->cell_count; i++) {
        TRY(iv_cell_settle(w->cells[i], err));
    }
    return IV_OK;
}

static iv_rc prepare(struct iv_worker *w, struct taking *t, struct iv_err *err)
{
    t->cells = iv_calloc(w->cell_count + 1, sizeof *t->cells);
    ENSURE(t->cells != NULL, err, IV_E_NOMEM, "cannot allocate the cells' next state");
    for (size_t i = 0; i < w->cell_count; i++) {
        TRY(iv_cell_prepare(&t->cells[i], w->cells[i], t->baseline, err));
        iv_turn(w->turns);
    }
    return IV_OK;
}

static iv_rc swap_in(struct iv_worker *w, struct taking *t, struct iv_err *err)
{
    struct taking old = {w->site.baseline, w->site.playbooks, t->cells};
    for (size_t i = 0; i < w->cell_count; i++) {
        iv_cell_count(w->cells[i]);
        iv_cell_swap(w->cells[i], &t->cells[i]);
    }
    w->site.baseline = t->baseline;
    w->site.playbooks = t->playbooks;
    *t = old;
    for (size_t i = 0; i < w->cell_count; i++) {
        iv_cell_cover_policy(w->cells[i]);
        TRY(iv_cell_change_exchange(w->cells[i], err));
    }
    return IV_OK;
}

static void tell(const struct iv_worker *w, const struct iv_baseline *before, iv_ns pause)
{
    const struct iv_baseline *baseline = w->site.baseline;
    size_t kept = 0;
    for (size_t i = 0; i < baseline->rule_count; i++) {
        kept += iv_baseline_same_rule(before, baseline->rules[i]) != NULL ? 1 : 0;
    }
    LOG_INFO("detect.baseline.in_force", KV_TEXT("worker", w->label), KV_STR("baseline", baseline->name),
             KV_TEXT("digest", baseline->digest_hex), KV_I64("rules_kept", (int64_t)kept),
             KV_I64("rules_started", (int64_t)(baseline->rule_count - kept)),
             KV_I64("rules_gone", (int64_t)(before->rule_count - kept)),
             KV_F64("pause_s", (double)pause / 1e9));
}

/* The first commit under the new baseline, empty: the store learns which is in force. */
static iv_rc take_force(struct iv_worker *w, struct iv_err *err)
{
    struct iv_commit *commit = NULL;
    TRY(iv_commit_new(&commit, w->site.baseline, err));
    commit->takes_force = true;
    iv_commit_answer_by(commit, w->site.playbooks);
    (void)iv_outlet_push(w->site.outlet, commit);
    return IV_OK;
}

iv_rc iv_worker_take_up(struct iv_worker *worker, struct iv_err *err)
{
    struct iv_worker *w = worker;
    if (atomic_load(&w->detect->generation) == w->generation) {
        return IV_OK;
    }
    struct taking t = {NULL};
    struct iv_err why = {.text = ""};
    iv_ns begun = iv_monotonic(&w->site.clock);
    w->generation = iv_detect_next(w->detect, &t.baseline, &t.playbooks);
    struct iv_rc_s rc = settle(w, err);
    if (!iv_ok(rc)) {
        taking_free(&t, 0);
        return rc;
    }
    bool taken = iv_ok(prepare(w, &t, &why));
    if (taken) {
        rc = swap_in(w, &t, err);
        tell(w, t.baseline, iv_monotonic(&w->site.clock) - begun);
        rc = iv_ok(rc) ? take_force(w, err) : rc;
    }
    taking_free(&t, w->cell_count);
    iv_detect_taken(w->detect, w->generation, taken ? NULL : &why);
    return rc;
}
