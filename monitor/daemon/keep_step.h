/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeping thread does, without the thread: commits into the store.
 * Owner/thread: one thread writes; keep.h has that thread, a simulation its own.
 * Guarantee: a finding or dead letter that the store has already is neither posted nor planned again. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "evidence/reader.h"
#include "evidence/store.h"

#include <stddef.h>

struct iv_commit;

struct iv_keep_step {
    struct iv_store *store;
    struct iv_clock clock;
    bool tells_coverage;        /* other processes are told what was read */
    struct iv_alerter *alerter; /* borrowed; NULL: nobody is told of anything */
    struct iv_buf scratch;
};

void iv_keep_step_init(struct iv_keep_step *step, struct iv_store *store, struct iv_clock clock);
void iv_keep_step_deinit(struct iv_keep_step *step);

/* All of these, in one transaction, or nothing. Says of each verdict whether it is fresh. The class RETRY
 * means: the same again, later. */
iv_rc iv_keep_write(struct iv_keep_step *step, struct iv_commit *const *group, size_t count,
                    struct iv_err *err);

/* Behind the last commit: others are told how far everything was read, however lately they were told before.
 */
iv_rc iv_keep_last_words(struct iv_keep_step *step, struct iv_reader *reader, struct iv_err *err);
