/* SPDX-License-Identifier: Apache-2.0 */
/* What tests/crash/respond has killed: the part of the monitor that acts, with a world around it that is the
 * same after a restart.
 * Purpose: findings, people, streams and time, as the words of the command line say.
 * Guarantee: whatever fails says so, as "respond_trial: SENTENCE", and ends the process. Time is the system's
 * and what was skipped of it, which a file beside the store keeps: it does not go back when the process is
 * gone, and nobody waits for it. */
#pragma once

#include "base/buf.h"
#include "baseline/problems.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "hand/hand.h"
#include "respond/alert/alert.h"
#include "respond/playbook.h"
#include "respond/responder.h"
#include "support/sample.h"

#define SCENE_PLAYBOOKS 4
#define SCENE_PATH 512

struct people;

struct scene {
    struct sample sample;
    struct iv_problems *problems;
    struct iv_playbook_source sources[SCENE_PLAYBOOKS];
    struct iv_buf texts[SCENE_PLAYBOOKS];
    struct iv_playbooks *playbooks;
    struct iv_store *store;
    struct iv_reader *reader;
    struct iv_endpoint endpoint; /* "hook" */
    struct iv_hand *hand;        /* NULL: nothing is done on this machine */
    struct iv_responder *responder;
    struct people *people; /* NULL: none */
    struct iv_alerting *alerting;
    struct iv_alerter *alerter; /* NULL: nobody is told of anything */
    struct iv_clock clock;
    char time_path[SCENE_PATH]; /* of the file that keeps: */
    iv_ns skipped;
    bool stale;   /* the streams are not fresh */
    bool silent;  /* nothing is proven yet */
    bool dry_run; /* of the responder that begins next */
};

void must(struct iv_rc_s rc, const struct iv_err *err);

/* names: of playbooks in the folder, commas between; the first is "revoke" mostly, which the rule names. */
void scene_open(struct scene *s, const char *store, const char *folder, const char *names);
void scene_close(struct scene *s);
void scene_skip_to(struct scene *s, iv_ns then);

/* A finding of this number, as it is found again after a restart, and what its rule calls for. token,
 * playbook: NULL: as the sample has them. */
void scene_find(struct scene *s, unsigned number, const char *token, const char *playbook);

/* The responder takes turns until nothing is left to do but what is due later than in so long. */
void scene_rest(struct scene *s, iv_ns within);
/* So many turns, whatever is left. */
void scene_turn(struct scene *s, unsigned turns);

/* Somebody is told of alerts: they are queued, and not taken. */
void scene_alert(struct scene *s);

/* People with keys of the baseline: ann, bob. */
void people_come(struct scene *s);
void people_go(struct scene *s);
const struct iv_keyring *people_keyring(const struct scene *s);
/* Of each execution that waits, unless they have said so. */
void people_say(struct scene *s, const char *who, bool approve);
/* Of the findings that executions answer. */
void people_close(struct scene *s);
/* Of each execution that can be taken back. */
void people_undo(struct scene *s);
void people_pause(struct scene *s, bool holds);
