/* SPDX-License-Identifier: Apache-2.0 */
/* A store, a playbook and a responder with a clock that the test moves. */
#pragma once

#include "base/buf.h"
#include "baseline/problems.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "respond/playbook.h"
#include "respond/responder.h"
#include "support/sample.h"
#include "support/scratch.h"

struct stage {
    struct scratch dir;
    struct sample sample;
    struct iv_playbook_source source;
    struct iv_problems *problems;
    struct iv_playbooks *playbooks;
    struct iv_store *store;
    struct iv_reader *reader;
    struct iv_endpoint endpoint; /* "hook", whose calls are signed; may be changed before stage_respond */
    bool dry_run;                /* these as well */
    struct iv_str pause_file;
    size_t in_flight;                           /* calls at one time; 0: as many as by default */
    const struct iv_keyring *keyring;           /* NULL: nobody may approve */
    const struct iv_baseline *governs;          /* NULL: nothing takes over from what fails */
    struct iv_hand *hand;                       /* of the test, which ends it; NULL: there is none */
    bool (*fresh)(void *ctx, const char **why); /* NULL: the streams always are */
    void *fresh_ctx;
    struct iv_responder *responder;
    iv_ns now;
    iv_ns set_by; /* the clock was set ahead by so much, of what now has moved by */
};

#define STAGE_NOW (SAMPLE_TIME + IV_NS_PER_S)
/* The text of a playbook that the sample's rule names, up to its steps. */
#define STAGE_PLAYBOOK                                                                                       \
    "apiVersion: invigil/v1\n"                                                                               \
    "kind: Playbook\n"                                                                                       \
    "metadata: {name: revoke, title: Revoke it}\n"                                                           \
    "target: \"{{trigger.token_id}}\"\n"

/* steps: the YAML behind "steps:" of a playbook that the sample's rule names. */
void stage_init(struct stage *s, const char *steps);
/* With more of the playbook's own keys before "steps:", as YAML. */
void stage_init_playbook(struct stage *s, const char *keys, const char *steps);
/* The same of a stage that has no playbooks (any more). */
void stage_load(struct stage *s, const char *keys, const char *steps);
void stage_deinit(struct stage *s);
/* The problems of a playbook's whole text, rendered; empty where it loads. */
void stage_problems(struct stage *s, struct iv_buf *out, const char *playbook);
/* Expects that it does not load, and these words, in the playbook's own file. */
void stage_refuses(struct stage *s, const char *playbook, const char *want);

/* Puts the sample's verdict into the store and plans what it calls for, as the keeper does. */
void stage_find(struct stage *s);
/* With this baseline's parameters. */
void stage_find_under(struct stage *s, const struct iv_baseline *baseline);
/* A responder whose endpoint "hook" is at url (NULL: it has no endpoint). Replaces the one before, as a
 * restart does. */
void stage_respond(struct stage *s, const char *url);
/* Turns until the newest execution is at an end or waits for its time; moves the clock to that time when
 * asked to. */
void stage_run(struct stage *s, bool skip_waits);

/* The newest execution, and one of its steps; texts are valid until the next call. */
struct iv_execution stage_execution(struct stage *s);
struct iv_step stage_step(struct stage *s, int64_t position);
size_t stage_executions(struct stage *s);
