/* SPDX-License-Identifier: Apache-2.0 */
/* A finding as the store keeps it: a verdict's columns and its OCSF text.
 * Owner/thread: plain data; the slices belong to whoever made the row (a verdict and a buffer, or a reader's
 * statement for the length of one visit). */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_UID_HEX 64

/* What people made of a finding. Its verdict is not theirs to say. */
enum iv_triage_state {
    IV_TRIAGE_NEW,
    IV_TRIAGE_ACKNOWLEDGED,
    IV_TRIAGE_CLOSED,
    IV_TRIAGE_SUPPRESSED,
    IV_TRIAGE_STATES
};
const char *iv_triage_state_name(enum iv_triage_state state); /* "new", "acknowledged", … */

struct iv_finding {
    struct iv_str uid; /* IV_UID_HEX digits */
    enum iv_verdict_kind kind;
    struct iv_str rule;
    struct iv_str title; /* the rule's */
    enum iv_severity severity;
    enum iv_mode mode;
    bool suppressed;        /* a waiver held */
    struct iv_str criteria; /* "CC6.1 CC6.3" */
    struct iv_str tenant;   /* of the trigger; empty: it had none */
    struct iv_str agent;
    struct iv_str trigger_source;
    struct iv_str trigger_id;
    struct iv_str trigger_type;
    iv_ns time;                  /* the trigger's */
    iv_ns detected;              /* the wall clock when it was put into the store */
    int64_t witnesses;           /* how many there are in all */
    struct iv_str ocsf;          /* the whole finding, one JSON object */
    int64_t seq;                 /* grows with every insert and every update; set by the store */
    bool told;                   /* writer: another process found it */
    iv_ns made;                  /* writer: told then, by the broker's clock; 0: now, or nobody knows */
    struct iv_str action;        /* reader: state of its newest execution; empty: none */
    enum iv_triage_state triage; /* reader: SUPPRESSED also where a waiver of the baseline held */
    struct iv_str assignee;      /* reader: who looks after it; empty: nobody */
};

const char *iv_verdict_kind_name(enum iv_verdict_kind kind); /* "violated", "inconclusive", … */
bool iv_verdict_kind_of(enum iv_verdict_kind *out, struct iv_str name);
const char *iv_severity_name(enum iv_severity severity); /* "critical" … "info" */
bool iv_severity_of(enum iv_severity *out, struct iv_str name);
const char *iv_mode_name(enum iv_mode mode); /* "enforce", "observe", "canary" */

/* A verdict as a row. scratch holds the text that the row points to (uid, criteria, OCSF) and is cleared
 * first. The row lives as long as the verdict and the scratch. IV_E_LIMIT: the text is larger than the
 * scratch may become. */
iv_rc iv_finding_of_verdict(struct iv_finding *out, struct iv_buf *scratch,
                            const struct iv_baseline *baseline, const struct iv_verdict *verdict, iv_ns wall,
                            struct iv_err *err);
