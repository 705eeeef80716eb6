/* SPDX-License-Identifier: Apache-2.0 */
/* require with "tree": a checkpoint against the log as its trigger continues it.
 * Guarantee: what no further event can mend is told at the trigger's arrival; the rest is decided like every
 * require, when the watermark has passed the trigger. Where no rule asks for it, nothing is done.
 * Not here: the logs and their trees (logs.h), notes (event/note.h). */
#pragma once

#include "engine/correlate.h"

/* The key of all rules that ask for trees: the log of an entry. False: it is none, or nobody asks. */
struct iv_short_key;
bool iv_tree_key(struct iv_engine *e, struct iv_event *event, struct iv_short_key *room, struct iv_str *out);

/* What the event says of its log, if it is an entry of one; and asks the memory for where it stands. */
void iv_tree_foresee(struct iv_engine *e, struct iv_tree_claim *out, const struct iv_event *event);
/* Takes it up, if the log is of the engine's share. One that is late may contradict what was said. */
void iv_tree_note_entry(struct iv_engine *e, struct iv_event *event, const struct iv_tree_claim *claim,
                        uint32_t rec);
/* The obligation was violated for want of an entry, and waits for late ones; it no longer does. */
void iv_tree_add_missing(struct iv_engine *e, uint32_t obligation);
void iv_tree_remove_missing(struct iv_engine *e, const struct iv_obligation *o);

/* The event at hand as a trigger; its window is worked out. */
void iv_tree_trigger(struct iv_engine *e, const struct iv_search *s, const struct iv_waiting *at);

/* Whether the logs are connected as far as the watermark lets them, so that a trigger that it has passed can
 * be judged; where they are not, the obligation is put off until they are. */
bool iv_tree_ready(struct iv_engine *e, uint32_t obligation);

enum iv_tree_finding {
    IV_TREE_KEPT,
    IV_TREE_OTHER,     /* the log's tree is another */
    IV_TREE_FORGOTTEN, /* the tree ends before the window */
    IV_TREE_MISSING,   /* the log is not there down to its first entry */
};
enum iv_tree_finding iv_tree_judge(struct iv_engine *e, const struct iv_search *s);

/* Connects entries, and decides what was put off; all of it where `all`. */
void iv_tree_advance(struct iv_engine *e, bool all);
/* Forgets old entries; behind everything that decides. */
void iv_tree_sweep(struct iv_engine *e);
