/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/proofs.h"

#include "base/arena.h"
#include "base/guard.h"
#include "respond/ladder.h"

#define GROUP_MAX 32 /* proofs of one transaction: the writer is not kept for longer than a commit takes */

struct proven {
    size_t index; /* in the set */
    struct iv_proof proof;
    bool moved; /* somebody may have taken the step back meanwhile */
};

/* The last ones first, so that those that leave the set leave the others where they are. */
static size_t gather(struct proven *out, struct iv_inquiry_set *set, const struct iv_inquiry_state *states)
{
    size_t found = 0;
    size_t count = 0;
    const struct iv_sought *items = iv_inquiry_set_items(set, &count);
    for (size_t i = count; i-- > 0 && found < GROUP_MAX;) {
        const struct iv_inquiry *l = items[i].inquiry;
        struct iv_inquiry_state state = states[iv_inquiry_stream(l)];
        state.reached = items[i].lane == IV_LANE_WHOLE ? state.reached : IV_NS_MIN;
        out[found] = (struct proven){.index = i};
        found += iv_inquiry_decide(l, &out[found].proof, &state);
    }
    return found;
}

static iv_rc move(const struct iv_proofs_options *options, struct proven *p, const struct iv_inquiry *l,
                  struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *tasks = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(options->store, &tasks, &count, IV_TASKS_OF, iv_inquiry_execution(l), 0,
                       IV_EXECUTION_STEPS_MAX, arena, err));
    for (size_t i = 0; i < count && !p->moved; i++) {
        if (iv_inquiry_is_of(l, &tasks[i].step) && iv_step_awaits(&tasks[i].step)) {
            TRY(iv_move_by_evidence(options->store, &tasks[i], &p->proof, iv_wall(options->clock), arena,
                                    err));
            p->moved = true;
        }
    }
    return IV_OK;
}

static iv_rc move_all(const struct iv_proofs_options *options, struct proven *group, size_t count,
                      struct iv_inquiry_set *set, struct iv_err *err)
{
    size_t all = 0;
    const struct iv_sought *items = iv_inquiry_set_items(set, &all);
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    TRY(iv_store_begin(options->store, err));
    for (size_t i = 0; i < count; i++) {
        struct iv_rc_s rc = move(options, &group[i], items[group[i].index].inquiry, &arena, err);
        if (!iv_ok(rc)) {
            iv_store_rollback(options->store);
            return rc;
        }
    }
    return iv_store_commit(options->store, err);
}

iv_rc iv_proofs_write(const struct iv_proofs_options *options, struct iv_inquiry_set *set,
                      const struct iv_inquiry_state states[IV_STREAMS], size_t *moved, struct iv_err *err)
{
    static const char *const results[] = {[IV_PROOF_VERIFIED] = "verified",
                                          [IV_PROOF_FAILED] = "disproved",
                                          [IV_PROOF_AMBIGUOUS] = "ambiguous"};
    struct proven group[GROUP_MAX];
    size_t count = gather(group, set, states);
    *moved = 0;
    if (count == 0) {
        return IV_OK;
    }
    TRY(move_all(options, group, count, set, err));
    for (size_t i = 0; i < count; i++) {
        if (group[i].moved) {
            ++*moved;
            iv_series_add(IV_SERIES(options->metrics, ACTIONS, iv_str_of(results[group[i].proof.verdict])),
                          1);
        }
        iv_inquiry_set_drop(set, group[i].index);
    }
    return IV_OK;
}
