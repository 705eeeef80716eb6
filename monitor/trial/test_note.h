/* SPDX-License-Identifier: Apache-2.0 */
/* The notes of a rule's test: checkpoints over its logs as they were written so far.
 * Purpose: {sign: k} is a checkpoint that verifies, {sign: k, size: 2} one of the log's first two entries,
 * and "altered" makes of either one that was tampered with.
 * Owner/thread: one writer, one thread. */
#pragma once

#include "base/digest.h"
#include "trial/test_keys.h"

#define IV_TEST_LEAVES 64

/* The hashes of a log's entries by place; n is 0 where there is none. */
struct iv_test_log {
    struct iv_str id;
    uint64_t size; /* before the checkpoint */
    const struct iv_digest *leaves;
};

/* Appends the note. IV_E_REFUSED: problems says why. */
iv_rc iv_test_note(struct iv_buf *out, const struct iv_test_keys *keys, struct iv_digester *digester,
                   const struct iv_test_log *log, const struct iv_yaml_node *node,
                   struct iv_problems *problems, struct iv_err *err);
