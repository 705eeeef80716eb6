/* SPDX-License-Identifier: Apache-2.0 */
/* A playbook's execution and its steps, as the store keeps them.
 * Purpose: what was planned for a finding, how far it got, and why it ended as it did, over any number of
 * restarts.
 * Owner/thread: plain data; a reader's row is valid for the length of one visit.
 * Not here: who moves them (respond/moves.h, respond/responder.h). */
#pragma once

#include "base/str.h"
#include "base/time.h"
#include "evidence/finding.h"

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
/*  execution   planned ──▶ running ──▶ done        every step was answered with success
 *                 │           ├──────▶ failed      a step failed, or is of a kind or an endpoint that is
 *                 │           │                    not there
 *                 │           ├──────▶ verified, ambiguous    its last step was decided before it was done
 *                 │           ├──────▶ undone      its last step was done after what was taken back was
 *                 │           ├──────▶ withheld    observe mode or dry run: it got as far as each call
 *                 │           └──────▶ refused     as those that wait: no call had success
 *                 ├──────────────────▶ waiting     a ramp stopped before its turn had come
 *                 ├──────────────────▶ superseded  another one does it in its place
 *                 └──────────────────▶ refused
 *              waiting ──▶ planned                 a guard held it back or it always needs approvals: they
 *                 │                                came
 *                 ├──────────────────▶ superseded
 *                 └──────────────────▶ refused     or somebody denied it, or its time is up; or, of any that
 *                                                  has called nothing with success, its finding has fallen
 *              done ─────────────────▶ verified    the streams show it,
 *                 ├──────────────────▶ failed      or show what they must not,
 *                 ├──────────────────▶ ambiguous   or neither;
 *                 ├──────────────────▶ running     an escalation goes on
 *                 └──────────────────▶ undone      what was to be taken back is (or failed, if that failed);
 *                                                  verified ones, and those withheld in part, likewise
 *              It begins as planned or waiting; as failed where it could not be planned (a template names an
 *              absent field).
 *
 *  step        queued ──▶ due ──▶ calling ──▶ done
 *                 │        ▲ │       ├──────▶ absent
 *                 │        │ │       ├──────▶ failed, unsupported
 *                 │        └─┼───────┘ (to be tried again at due_at)
 *                 │          ├──────────────▶ failed, unsupported    it cannot be called as it is
 *                 │          ├──────────────▶ withheld
 *                 │          ├──────────────▶ ambiguous      tried without an answer; its finding has fallen
 *                 └──────────┴──────────────▶ skipped
 *              done with an expectation ────▶ verified, failed, ambiguous
 *              done, however it was decided ▶ undone
 *
 * "done" says that the other side accepted the call, not that it had its effect: where a step has an
 * expectation, what follows it waits until that is decided. */
/* clang-format on */
enum iv_run_state {
#define STATE(id, name, final) IV_RUN_##id,
#include "evidence/run_states.def"
#undef STATE
    IV_RUN_STATES
};
enum iv_step_state {
#define STATE(id, name, final) IV_STEP_##id,
#include "evidence/step_states.def"
#undef STATE
    IV_STEP_STATES
};
const char *iv_run_state_name(enum iv_run_state state); /* "planned" */
bool iv_run_state_of(enum iv_run_state *out, struct iv_str name);
const char *iv_step_state_name(enum iv_step_state state);
bool iv_run_state_final(enum iv_run_state state);
bool iv_step_state_final(enum iv_step_state state);

/* What a playbook does to an adversary, in D3FEND's words (OCSF Remediation Activity, activity_id). */
enum iv_tactic {
    IV_TACTIC_ISOLATE = 1,
    IV_TACTIC_EVICT,
    IV_TACTIC_RESTORE,
    IV_TACTIC_HARDEN,
    IV_TACTIC_DETECT
};

/* What guards count; empty: none. */
struct iv_touched {
    struct iv_str agent;
    struct iv_str tenant;
    struct iv_str enclave;
};

struct iv_execution {
    struct iv_str key; /* IV_UID_HEX digits: SHA-256 over finding and playbook. One execution for each pair */
    struct iv_str finding; /* that it was planned for */
    struct iv_str playbook;
    struct iv_str title;  /* the playbook's */
    struct iv_str target; /* what it acts on, e.g. a token; may be empty */
    enum iv_tactic tactic;
    struct iv_str rule;
    enum iv_severity severity;
    struct iv_str tenant;
    struct iv_str agent;
    bool observed;          /* every call is withheld */
    bool absence;           /* it rests on what was not seen: called only while the streams are fresh */
    struct iv_str baseline; /* the digest in force when it was planned, hex */
    enum iv_run_state state;
    struct iv_str cause; /* why it is in that state; may be empty */
    bool awaits;         /* DONE as far as anybody knows: evidence is still to come */
    iv_ns event_time;    /* of the finding's trigger */
    iv_ns planned;       /* wall clock; the later ones are 0 before they happen */
    iv_ns admitted;      /* the guards, or whoever approved it, let it pass */
    iv_ns started;
    iv_ns finished;
    iv_ns expires;           /* WAITING: refused then, unless it is approved before */
    int64_t quorum;          /* by so many keys */
    struct iv_str approvers; /* with one of these roles each, spaces between */
    struct {
        int64_t start;  /* PLANNED: it waits for its turn; so many may be at work at first. 0: it may begin */
        int64_t errors; /* in thousandths: the share of those that ended that may have gone wrong */
    } ramp;
    struct iv_str escalate_to; /* the playbook that takes over if it fails; empty: none, or it has */
    struct iv_touched touched;
    int64_t findings; /* that it answers, the one that it was planned for among them; set by the store */
    int64_t seq;      /* grows with every insert and every change of state; set by the store */
};

/* How the cause of one that is done, or verified, begins where that is not all: something went wrong on the
 * way; nothing was there to act on, and no proof that nothing need be. */
#define IV_CAUSE_IN_SPITE "in spite of "
#define IV_CAUSE_NOTHING_THERE "nothing was there to act on: "
/* And that of a step that is due, and is not called while the streams are not fresh. */
#define IV_CAUSE_STALE "it rests on what was not seen, and waits: "
bool iv_execution_in_spite(const struct iv_execution *execution);
bool iv_execution_in_vain(const struct iv_execution *execution); /* done, and nothing was there */

/* What follows a step that went wrong. */
enum iv_on_failure {
    IV_ON_FAILURE_STOP,     /* the execution ends as failed */
    IV_ON_FAILURE_CONTINUE, /* the next step */
    IV_ON_FAILURE_ESCALATE, /* the next step that is there for this alone */
};

struct iv_step {
    struct iv_str execution;
    int64_t position;  /* from 0 */
    struct iv_str key; /* IV_UID_HEX digits: the idempotency key, the same for every attempt */
    struct iv_str name;
    struct iv_str kind;    /* of action: "http", "kafka" */
    struct iv_str request; /* the rendered call as a JSON object; holds no secret */
    iv_ns timeout;
    int64_t attempts; /* at most */
    iv_ns backoff;    /* before the second attempt; doubles up to: */
    iv_ns backoff_max;
    enum iv_on_failure on_failure;
    bool only_escalated; /* called only when one before it that escalates went wrong */
    int64_t undoes;      /* 1 + the position of the step that this one takes back; 0: none */
    iv_ns undo_after;    /* so long after that one was done */
    enum iv_step_state state;
    struct iv_str cause;
    int64_t attempt;      /* calls begun so far */
    iv_ns due;            /* DUE: not before this time */
    int64_t outbox;       /* handed over as this message; 0: none */
    int64_t status;       /* the last answer's code, e.g. of HTTP; 0: none */
    struct iv_str answer; /* its first bytes, as UTF-8 */
    iv_ns started;
    iv_ns finished;
    iv_ns done;                /* the other side accepted it; 0: it has not */
    struct iv_str expectation; /* what the streams must show of it, or must not, as JSON; empty: nothing */
    iv_ns within;              /* of its evidence, from done */
    struct iv_str evidence;    /* the record that decided it, as JSON; empty: none did */
};

/* Done, and not decided yet. */
static inline bool iv_step_awaits(const struct iv_step *step)
{
    return step->state == IV_STEP_DONE && step->expectation.n > 0;
}

/* Of a step that somebody took back before its time, it may be while it awaited its proof; his name follows.
 * Of one that went wrong it stands behind why it did. */
#define IV_CAUSE_TAKEN_BACK "taken back for "
#define IV_CAUSE_BEHIND "; "
bool iv_step_was_taken_back(const struct iv_step *step);

#define IV_ACTION_JOINED "joined" /* in the place of a state: one more finding is answered */
/* One change of state of an execution (step -1) or of a step: the log that the actions topic carries. */
struct iv_action {
    int64_t seq;
    struct iv_str execution;
    int64_t step;
    struct iv_str state;
    iv_ns time;          /* wall clock */
    struct iv_str ocsf;  /* Remediation Activity, one JSON object */
    struct iv_str cause; /* of iv_reader_execution_log alone */
};
