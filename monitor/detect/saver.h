/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of a worker's cells, taken beside the stream.
 * Purpose: what a worker knows goes to files of the vault while it goes on. A child process (fork) has the
 * memory as it was at one moment, writes it, and ends; the worker stands still for the fork alone.
 * Owner/thread: the worker's thread makes every call.
 * Guarantee: a snapshot gets its name only after iv_saver_release: when all that was found before it is
 * durable. A child that fails, hangs, or is killed leaves the older snapshots as they are, and the worker
 * running; one whose parent is gone ends.
 * In the child there is this thread alone, and the locks of all others may be held for ever: it uses memory
 * (which glibc keeps usable), files, and engines that are at rest; no log, no Kafka, no store.
 * Where an address sanitizer watches over memory, whose locks do not survive a fork, the worker writes
 * itself.
 * Not here: when a cell may be saved, where it goes on afterwards (worker_snapshot.c, cell_snapshot.c). */
#pragma once

#include "base/clock.h"
#include "engine/coverage.h"
#include "judge/judge.h"
#include "vault/frame.h"

struct iv_saver;

struct iv_saver_options {
    struct iv_str folder; /* is there (vault/folder.h); outlives the saver */
    iv_ns every;          /* from one snapshot to the next; more where the writing takes long */
    size_t keep;          /* of each cell */
    struct iv_clock clock;
};

/* A unit of state: what one snapshot is of. */
struct iv_saver_cell {
    struct iv_str name;
    struct iv_judge *judge; /* has settled */
    struct iv_str baseline; /* the digest of the one in force */
    const struct iv_vault_place *places;
    size_t place_count;
    uint64_t gone; /* records that were read of logs that are no more */
    struct iv_str notes;
    const struct iv_coverage *coverage; /* NULL: none */
};

iv_rc iv_saver_new(struct iv_saver **out, const struct iv_saver_options *options, struct iv_err *err);
/* Ends a child that is still at work. NULL is fine. */
void iv_saver_free(struct iv_saver *saver);

/* The newest snapshot of a cell that can be used: each is offered in turn, the newest first, until `take`
 * answers anything but a refusal (a class REJECT, with the sentence why, which is logged). IV_E_ABSENT: none
 * was taken. r is the caller's, fresh; the snapshot is in it while `take` runs and afterwards. */
typedef iv_rc (*iv_saver_take_fn)(void *ctx, struct iv_vault_reader *r, struct iv_err *err);
iv_rc iv_saver_restore(struct iv_saver *saver, struct iv_str cell, iv_saver_take_fn take, void *ctx,
                       struct iv_err *err);

/* A snapshot is under way. */
bool iv_saver_busy(const struct iv_saver *saver);
/* Whether it is time, and no child is at work. */
bool iv_saver_due(const struct iv_saver *saver);
/* The cells as they are now. An error: it was not begun (no memory, no process); the next is due later. */
iv_rc iv_saver_begin(struct iv_saver *saver, const struct iv_saver_cell *cells, size_t count,
                     struct iv_err *err);
/* All that was found before is durable: the snapshots may take their names. */
void iv_saver_release(struct iv_saver *saver);

enum iv_saver_state {
    IV_SAVER_IDLE,
    IV_SAVER_WRITING, /* also: written, and not released */
    IV_SAVER_KEPT,    /* told once: the snapshots have their names and are on the disk */
    IV_SAVER_FAILED,  /* told once: *why says what was wrong, the older ones are as they were */
};
/* How it is going; never waits. A child that takes too long is ended. */
enum iv_saver_state iv_saver_look(struct iv_saver *saver, struct iv_err *why);
/* The same, but waits up to so long while it is writing; released, or it is in vain. */
enum iv_saver_state iv_saver_wait(struct iv_saver *saver, iv_ns at_most, struct iv_err *why);

/* Of the round that was told last. */
struct iv_saver_figures {
    uint64_t bytes;
    iv_ns pause; /* that the worker stood still in iv_saver_begin */
    iv_ns took;  /* from its beginning to its name */
    iv_ns taken; /* monotonic: when the newest that is kept was begun; 0: none yet */
};
void iv_saver_figures(const struct iv_saver *saver, struct iv_saver_figures *out);
