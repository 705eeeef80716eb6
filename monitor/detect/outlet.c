/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/outlet.h"

#include "base/guard.h"

void iv_outlet_init(struct iv_outlet *outlet, struct iv_handoff *commits, const atomic_uint_fast64_t *kept)
{
    outlet->commits = commits;
    outlet->kept = kept;
    outlet->handed = 0;
    IV_CHECK(pthread_mutex_init(&outlet->lock, NULL) == 0);
}

void iv_outlet_deinit(struct iv_outlet *outlet)
{
    (void)pthread_mutex_destroy(&outlet->lock);
}

/* The lock is held while the queue is full: whoever else comes would wait for the queue as well, and the
 * numbers are those of the queue. */
uint64_t iv_outlet_push(struct iv_outlet *outlet, struct iv_commit *commit)
{
    (void)pthread_mutex_lock(&outlet->lock);
    if (!iv_handoff_push(outlet->commits, commit, commit->arena.total_bytes)) {
        iv_commit_free(commit);
    }
    uint64_t number = ++outlet->handed;
    (void)pthread_mutex_unlock(&outlet->lock);
    return number;
}
