/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/cell.h"

static void tell_evicted(const struct iv_cell *c, const struct iv_commit *commit)
{
    for (const struct iv_evicted_node *e = commit->evicted; e != NULL; e = e->next) {
        iv_series_add(IV_SERIES(c->site->metrics, EVICTED, e->rule->id), e->loss.records);
        LOG_WARN(
            "detect.rule.evicted", KV_I64("cell", c->number), KV_STR("rule", e->rule->id),
            KV_I64("records", (int64_t)e->loss.records), KV_I64("lost_from", e->loss.from),
            KV_I64("lost_until", e->loss.until),
            KV_TEXT("why", "the state had reached memory.limit; verdicts that need it are inconclusive"));
    }
}

static void push(struct iv_cell *c, struct iv_commit *commit)
{
    tell_evicted(c, commit);
    (void)pthread_mutex_lock(&c->lock);
    iv_commit_answer_by(commit, c->site->playbooks);
    iv_fault("detect.before_hand");
    c->handed = iv_outlet_push(c->site->outlet, commit);
    iv_fault("detect.handed");
    (void)pthread_mutex_unlock(&c->lock);
}

void iv_cell_through(void *ctx, struct iv_commit *before, struct iv_commit *found)
{
    struct iv_cell *c = ctx;
    if (found != NULL) {
        push(c, found);
    }
    if (before != NULL) {
        push(c, before); /* positions, which now have all behind them */
    }
}

static iv_rc take_positions(struct iv_cell *c, struct iv_err *err)
{
    for (size_t i = 0; i < c->source_count; i++) {
        struct iv_source *s = &c->sources[i];
        if (s->moved) {
            struct iv_cursor next = {s->stream, s->partition, s->next};
            TRY(iv_commit_position(c->commit, iv_cell_topic(c, s->stream), &next, err));
            s->moved = false;
        }
    }
    return IV_OK;
}

static iv_rc take_populations(struct iv_cell *c, struct iv_err *err)
{
    iv_judge_populations(c->judge);
    if (!iv_ok(c->failure)) {
        *err = c->err;
    }
    return c->failure;
}

/* The commit at hand, with a fresh one in its place. */
static iv_rc take_commit(struct iv_commit **out, struct iv_cell *c, struct iv_err *err)
{
    struct iv_commit *fresh = NULL;
    TRY(iv_commit_new(&fresh, c->site->baseline, err));
    *out = c->commit;
    c->commit = fresh;
    return IV_OK;
}

iv_rc iv_cell_hand_over(struct iv_cell *cell, bool positions_too, struct iv_err *err)
{
    const struct iv_commit *at_hand = cell->commit;
    bool found = at_hand->verdict_count > 0 || at_hand->letter_count > 0 || at_hand->evicted != NULL;
    bool beside = iv_judge_beside(cell->judge);
    struct iv_commit *commit = NULL;
    if (!found && !positions_too) {
        return beside ? iv_judge_flush(cell->judge, NULL, err) : IV_OK;
    }
    if (found && beside) {
        TRY(take_commit(&commit, cell, err));
        push(cell, commit);
    }
    TRY(take_positions(cell, err));
    if (cell->coverage != NULL) {
        TRY(iv_cell_cover_take(cell, err));
    }
    if (positions_too) {
        TRY(take_populations(cell, err));
        TRY(iv_cell_census_take(cell, err));
    }
    TRY(take_commit(&commit, cell, err));
    if (beside) {
        return iv_judge_flush(cell->judge, commit, err);
    }
    push(cell, commit);
    return IV_OK;
}

iv_rc iv_cell_settle(struct iv_cell *cell, struct iv_err *err)
{
    TRY(iv_cell_flush(cell, true, err));
    TRY(iv_cell_hand_over(cell, true, err));
    return iv_judge_settle(cell->judge, err);
}

uint64_t iv_cell_handed(struct iv_cell *cell)
{
    (void)pthread_mutex_lock(&cell->lock);
    uint64_t handed = cell->handed;
    (void)pthread_mutex_unlock(&cell->lock);
    return handed;
}
