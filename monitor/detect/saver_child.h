/* SPDX-License-Identifier: Apache-2.0 */
/* What a child of the saver does, and how the two speak. Private to saver.c.
 * Two pipes: the child tells a struct iv_saver_word when all is written, and another when all has its name,
 * or once what failed; in between it waits for a byte from the parent, and takes the pipe's end for a no. */
#pragma once

#include "detect/saver.h"
#include "vault/folder.h"

struct iv_saver_word {
    bool failed;
    uint64_t bytes;
    struct iv_err why;
};

/* Some cells' snapshots on their way to their names. */
struct iv_saver_round {
    struct iv_str folder;
    size_t keep;
    iv_ns taken; /* wall clock */
    const struct iv_saver_cell *cells;
    struct iv_vault_file *files; /* one for each cell, zeroed */
    size_t count;
    size_t opened; /* of the files */
    uint64_t bytes;
};

iv_rc iv_saver_write(struct iv_saver_round *round, struct iv_err *err);
iv_rc iv_saver_publish(struct iv_saver_round *round, struct iv_err *err);
/* Removes what has no name. */
void iv_saver_abandon(struct iv_saver_round *round);

/* In the child: both of the above, then its end. */
_Noreturn void iv_saver_child(struct iv_saver_round *round, int tell, int hear, long parent);
