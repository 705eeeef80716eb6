/* SPDX-License-Identifier: Apache-2.0 */
#include "app/commit.h"
#include "app/detect_coverage.h"
#include "app/detect_internal.h"
#include "base/fault.h"
#include "base/guard.h"

/* The lock is held while the queue is full: whoever else comes would wait for the queue as well. */
static void push(struct iv_detect *d, struct iv_commit *commit)
{
    (void)pthread_mutex_lock(&d->hand_lock);
    iv_commit_answer_by(commit, d->playbooks);
    iv_fault("detect.before_hand");
    if (!iv_handoff_push(d->commits, commit, commit->arena.total_bytes)) {
        iv_commit_free(commit);
    }
    d->handed++;
    iv_fault("detect.handed");
    (void)pthread_mutex_unlock(&d->hand_lock);
}

void iv_detect_through(void *ctx, struct iv_commit *before, struct iv_commit *found)
{
    struct iv_detect *d = ctx;
    if (found != NULL) {
        push(d, found);
    }
    if (before != NULL) {
        push(d, before); /* positions, which now have all behind them */
    }
}

static iv_rc take_positions(struct iv_detect *d, struct iv_err *err)
{
    for (size_t i = 0; i < d->partition_count; i++) {
        struct iv_detect_partition *p = &d->partitions[i];
        if (p->moved) {
            struct iv_cursor next = {p->stream, p->partition, p->next};
            TRY(iv_commit_position(d->commit, d->topics[p->stream], &next, err));
            p->moved = false;
        }
    }
    return IV_OK;
}

/* The commit at hand, with a fresh one in its place. */
static iv_rc take_commit(struct iv_commit **out, struct iv_detect *d, struct iv_err *err)
{
    struct iv_commit *fresh = NULL;
    TRY(iv_commit_new(&fresh, d->baseline, err));
    *out = d->commit;
    d->commit = fresh;
    return IV_OK;
}

iv_rc iv_detect_hand_over(struct iv_detect *d, bool positions_too, struct iv_err *err)
{
    bool found = d->commit->verdict_count > 0 || d->commit->letter_count > 0;
    bool beside = iv_judge_beside(d->judge);
    struct iv_commit *commit = NULL;
    if (!found && !positions_too) {
        return beside ? iv_judge_flush(d->judge, NULL, err) : IV_OK;
    }
    if (found && beside) {
        TRY(take_commit(&commit, d, err));
        push(d, commit);
    }
    TRY(take_positions(d, err));
    TRY(iv_detect_cover_take(d, err));
    TRY(take_commit(&commit, d, err));
    if (beside) {
        return iv_judge_flush(d->judge, commit, err);
    }
    push(d, commit);
    return IV_OK;
}
