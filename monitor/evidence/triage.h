/* SPDX-License-Identifier: Apache-2.0 */
/* What people do with findings, and the waivers that they make of them.
 * Purpose: a change, and the line of who made it, in one transaction. It gives the finding another seq, so
 * that whoever follows findings hears of it.
 * Owner/thread: writing as store.h has it, reading as reader.h has it.
 * A finding that somebody has acknowledged or closed is new again when it becomes a violation, or graver.
 * Guarantee: neither a verdict nor what was told of a finding depends on any of this. What is closed or
 * suppressed is not acted upon any more (evidence/footing.h); what comes in suppressed is. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/finding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_store;
struct iv_reader;

enum iv_triage_verb {
#define VERB(id, name) IV_TRIAGE_##id,
#include "evidence/triage_verbs.def"
#undef VERB
    IV_TRIAGE_VERBS
};
const char *iv_triage_verb_name(enum iv_triage_verb verb);
bool iv_triage_verb_of(enum iv_triage_verb *out, struct iv_str name);

struct iv_triage {
    struct iv_str finding; /* uid */
    enum iv_triage_verb verb;
    struct iv_str who;
    iv_ns at;
    struct iv_str assignee; /* ASSIGN: to whom; empty: to nobody */
    struct iv_str text;     /* a comment, with any of them */
    struct iv_str reason;   /* CLOSE, SUPPRESS */
    iv_ns until;            /* SUPPRESS */
};
/* Inside a transaction. IV_E_ABSENT: there is no such finding. IV_E_REFUSED: it is in no state for this. */
iv_rc iv_store_triage(struct iv_store *store, const struct iv_triage *triage, struct iv_err *err);

/* The same with the findings of an incident that stand, which are violations that nobody has closed or
 * waived, and of those ACKNOWLEDGE takes the new ones. A call takes so many at once; next is the upto of the
 * following one, so that what comes in meanwhile is not touched. SUPPRESS makes one waiver in all. */
enum { IV_TRIAGED_AT_ONCE = 500 };
struct iv_triage_done {
    size_t changed;
    int64_t next; /* 0: that was all */
    int64_t seq;  /* the greatest that a finding got by it */
};
/* Inside a transaction. upto: of findings with no greater seq (0: of all); triage->finding is not read. what:
 * gets the incident's names, for the record. IV_E_ABSENT: there is no such incident. IV_E_REFUSED: no finding
 * of it is in a state for this. Not REOPEN: what was closed long ago is closed for many reasons. */
iv_rc iv_store_triage_incident(struct iv_store *store, struct iv_triage_done *out, struct iv_buf *what,
                               int64_t incident, int64_t upto, const struct iv_triage *triage,
                               struct iv_err *err);

struct iv_triage_line {
    iv_ns at;
    struct iv_str who;
    struct iv_str verb;
    struct iv_str detail; /* to whom, what was said, why */
};
typedef bool (*iv_triage_visit)(void *ctx, const struct iv_triage_line *line);
/* The newest lines of a finding, oldest first. */
iv_rc iv_reader_triage(struct iv_reader *reader, struct iv_str finding, size_t limit, iv_triage_visit visit,
                       void *ctx, struct iv_err *err);

struct iv_console_waiver {
    int64_t id;
    struct iv_str finding; /* that it was made at */
    struct iv_str rule;
    struct iv_str tenant;
    struct iv_str agent;
    iv_ns until;
    struct iv_str author;
    struct iv_str reason;
    iv_ns created;
    iv_ns ended; /* before its time; 0: nobody did */
    struct iv_str ended_by;
};
typedef bool (*iv_waiver_visit)(void *ctx, const struct iv_console_waiver *waiver);
/* Newest first, with an id below before (0: from the newest), those that are over included. */
iv_rc iv_reader_waivers(struct iv_reader *reader, int64_t before, size_t limit, iv_waiver_visit visit,
                        void *ctx, struct iv_err *err);
/* The one that holds for a finding which is suppressed: by which it was, or in force when it came in. Visits
 * none, or the newest. */
iv_rc iv_reader_waiver_of(struct iv_reader *reader, const struct iv_finding *finding, iv_waiver_visit visit,
                          void *ctx, struct iv_err *err);
/* Inside a transaction: no finding that comes later is suppressed by it. IV_E_ABSENT: there is none that
 * holds. */
iv_rc iv_store_end_waiver(struct iv_store *store, int64_t id, struct iv_str who, iv_ns at,
                          struct iv_err *err);
