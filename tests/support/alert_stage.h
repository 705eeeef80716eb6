/* SPDX-License-Identifier: Apache-2.0 */
/* A store, sinks and routes, and a clock that the test moves. Fails with IV_CHECK, so that programs can use
 * it too. */
#pragma once

#include "evidence/alert.h"
#include "evidence/triage.h"
#include "respond/alert/alert.h"
#include "respond/alert/deliver.h"
#include "support/scratch.h"

#define ALERT_STAGE_NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */

struct alert_stage {
    struct scratch dir;
    struct iv_store *store;
    struct iv_reader *reader;
    struct iv_alerting *alerting;
    struct iv_alerter *alerter;
    iv_ns now;
    unsigned findings; /* so far */
};

/* yaml: the section alerts. */
void alert_stage_init(struct alert_stage *s, const char *yaml);
/* The same with a store that stays. */
void alert_stage_open(struct alert_stage *s, const char *yaml, struct iv_str store);
void alert_stage_deinit(struct alert_stage *s);
/* The problems of such a section, rendered. */
void alert_stage_problems(struct iv_buf *out, const char *yaml);

/* TOK-002 of this tenant and agent, critical, of CC6.1 CC6.3, under a new uid; its number. */
unsigned alert_stage_find(struct alert_stage *s, const char *tenant, const char *agent);
/* As the template says, with its kind, rule, mode, …; uid and times are put in. */
unsigned alert_stage_find_like(struct alert_stage *s, struct iv_finding finding);
/* The finding of this number, which is of this tenant and agent, is contradicted. */
void alert_stage_contradict(struct alert_stage *s, unsigned number, const char *tenant, const char *agent);
/* More witnesses are known of it. */
void alert_stage_update(struct alert_stage *s, unsigned number, const char *tenant, const char *agent);
/* Somebody does this with the finding of this number, and the alerter hears of it. */
void alert_stage_triage(struct alert_stage *s, unsigned number, enum iv_triage_verb verb);
/* Time passes, and what has been quiet for long enough is resolved. */
void alert_stage_pass(struct alert_stage *s, iv_ns length);
void alert_stage_condition(struct alert_stage *s, enum iv_condition condition, bool over, const char *detail);

/* The queue of a sink, as one line: "firing 1 acknowledged 1 resolved 1 ", oldest first; the counts
 * behind the states. */
const char *alert_stage_queue(struct alert_stage *s, const char *sink);
/* The queue's driver. */
struct iv_deliver *alert_stage_deliver(struct alert_stage *s, const char *sink);
