/* SPDX-License-Identifier: Apache-2.0 */
/* What one batch of input yields, on its way from the detecting thread to the store.
 * Purpose: verdicts, dead letters and positions that become durable together or not at all.
 * Owner/thread: filled by one thread, then handed over whole; owns copies of all that it holds. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "engine/coverage.h"
#include "engine/engine.h"
#include "evidence/alive.h"
#include "evidence/store.h"
#include "stream/source.h"

struct iv_verdict_node {
    struct iv_verdict_node *next;
    struct iv_verdict verdict;
    iv_ns written; /* the broker's time of the record at whose arrival it was decided; 0: decided by time */
    uint64_t ordinal; /* the commit's, when it was copied */
    bool fresh;       /* set by the keeper: the store did not have it before; of a canary: not measured yet */
};

struct iv_letter_node {
    struct iv_letter_node *next;
    struct iv_dead_letter letter;
};

struct iv_position_node {
    struct iv_position_node *next;
    struct iv_str topic;
    struct iv_cursor cursor; /* the next record to read */
};

struct iv_cover_node {
    struct iv_cover_node *next;
    struct iv_str topic;
    struct iv_cover cover;
};

struct iv_evicted_node {
    struct iv_evicted_node *next;
    const struct iv_rule *rule;
    struct iv_loss loss;
};

/* Of rules of the commit's baseline. */
struct iv_populated_node {
    struct iv_populated_node *next;
    struct iv_populated populated;
};

struct iv_alive_node {
    struct iv_alive_node *next;
    struct iv_alive_row row;
};

struct iv_commit {
    struct iv_arena arena; /* owns everything below */
    struct iv_verdict_node *verdicts;
    struct iv_verdict_node **verdicts_end;
    struct iv_letter_node *letters;
    struct iv_letter_node **letters_end;
    struct iv_position_node *positions;    /* one for each partition of the batch */
    struct iv_evicted_node *evicted;       /* what rules had to forget */
    struct iv_cover_node *covers;          /* of partitions whose coverage has changed */
    struct iv_alive_node *alive;           /* who has had events in the cell, anew */
    iv_ns alive_as_of;                     /* what that is as of; IV_NS_MIN: nothing is told of it */
    struct iv_populated_node *populations; /* what rules have judged, in the cell: */
    struct iv_str cell_topic;
    int32_t cell_partition;
    size_t verdict_count;
    size_t letter_count;
    uint64_t ordinal; /* what its next verdicts are numbered with, by whoever puts them in order */
    struct iv_baseline *baseline;   /* counted reference: the verdicts' rules */
    struct iv_playbooks *playbooks; /* counted reference: what answers them; NULL: nothing is planned */
    bool takes_force;               /* the first under its baseline */
};

iv_rc iv_commit_new(struct iv_commit **out, struct iv_baseline *baseline, struct iv_err *err);
void iv_commit_free(struct iv_commit *commit);
/* Takes a reference; the playbooks are those of the commit's baseline. */
void iv_commit_answer_by(struct iv_commit *commit, struct iv_playbooks *playbooks);

/* All copy. */
iv_rc iv_commit_verdict(struct iv_commit *commit, const struct iv_verdict *verdict, iv_ns written,
                        struct iv_err *err);
iv_rc iv_commit_letter(struct iv_commit *commit, const struct iv_record *record, struct iv_str reason,
                       iv_ns wall, struct iv_err *err);
iv_rc iv_commit_cover(struct iv_commit *commit, struct iv_str topic, const struct iv_cover *cover,
                      struct iv_err *err);
/* The cell is known by a topic that feeds it, and its partition there. */
struct iv_cell_place {
    struct iv_str topic; /* n 0: it is none, and its populations are nobody's */
    int32_t partition;
};
iv_rc iv_commit_populated(struct iv_commit *commit, const struct iv_cell_place *cell,
                          const struct iv_populated *populated, struct iv_err *err);
/* That somebody was alive is known up to as_of; then what has changed. */
iv_rc iv_commit_alive_as_of(struct iv_commit *commit, const struct iv_cell_place *cell, iv_ns as_of,
                            struct iv_err *err);
iv_rc iv_commit_alive(struct iv_commit *commit, const struct iv_alive_row *row, struct iv_err *err);
iv_rc iv_commit_evicted(struct iv_commit *commit, const struct iv_rule *rule, const struct iv_loss *loss,
                        struct iv_err *err);
/* Replaces an earlier position of the same partition. */
iv_rc iv_commit_position(struct iv_commit *commit, struct iv_str topic, const struct iv_cursor *next,
                         struct iv_err *err);
