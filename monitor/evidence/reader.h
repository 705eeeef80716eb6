/* SPDX-License-Identifier: Apache-2.0 */
/* The store's reading side.
 * Purpose: findings, executions, dead letters and counts for the console, the reports and the tests.
 * Owner/thread: one reader, one thread; any number of readers beside the writer, in this process or another.
 * A reader sees what was committed when its call began.
 * Guarantee: never writes; never holds the writer up. Rows are handed to a visitor and are valid for the
 * length of its call. A visitor that answers false ends the walk. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/execution.h"
#include "evidence/finding.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_reader;

/* The file must exist and be of the version that this program writes. */
iv_rc iv_reader_open(struct iv_reader **out, struct iv_str path, struct iv_err *err);
/* What is asked from now on ends with IV_E_BUSY when so much time is over. 0: it takes what it takes. */
void iv_reader_within(struct iv_reader *reader, iv_ns length);
void iv_reader_close(struct iv_reader *reader);
void iv_reader_closep(struct iv_reader **reader);

/* Zeroed: every violation, oldest change first, 100 of them. */
struct iv_finding_filter {
    struct iv_str rule; /* p NULL: any; so are the next ones */
    struct iv_str criterion;
    struct iv_str tenant;
    struct iv_str agent;
    uint32_t severities; /* bits 1u << enum iv_severity; 0: any */
    uint32_t kinds;      /* bits 1u << enum iv_verdict_kind; 0: VIOLATED, UPDATED and CONTRADICTED */
    uint32_t states;     /* bits 1u << enum iv_triage_state; 0: any */
    struct iv_str assignee;
    struct iv_str
        text; /* in title, rule, tenant, agent or trigger's id, whatever the case of ASCII letters */
    enum { IV_SUPPRESSED_ANY, IV_SUPPRESSED_NO, IV_SUPPRESSED_ONLY } suppressed;
    iv_ns from; /* the trigger's time, from <= time < until; both 0: any */
    iv_ns until;
    int64_t after;  /* seq above this; 0: from the first */
    int64_t before; /* seq below this; 0: to the last */
    bool newest_first;
    size_t limit; /* 0: 100 */
};
typedef bool (*iv_finding_visit)(void *ctx, const struct iv_finding *finding);
iv_rc iv_reader_findings(struct iv_reader *reader, const struct iv_finding_filter *filter,
                         iv_finding_visit visit, void *ctx, struct iv_err *err);
/* The same within bounds: ends after some ten thousand rows that do not fit. *next: the seq that the next
 * page begins behind; 0: there is nothing behind this one. */
iv_rc iv_reader_findings_page(struct iv_reader *reader, const struct iv_finding_filter *filter, int64_t *next,
                              iv_finding_visit visit, void *ctx, struct iv_err *err);
/* Calls visit once. IV_E_ABSENT: there is none with this uid (64 hex digits, lower case). */
iv_rc iv_reader_finding(struct iv_reader *reader, struct iv_str uid, iv_finding_visit visit, void *ctx,
                        struct iv_err *err);
/* Appends the list of what its rule saw (ocsf_saw.c), as JSON, and nothing where it does not tell. *left_out:
 * how much more there was. */
iv_rc iv_reader_saw(struct iv_reader *reader, struct iv_buf *out, int64_t *left_out, struct iv_str uid,
                    struct iv_err *err);

struct iv_execution_filter {
    struct iv_str finding; /* p NULL: any; so are the next ones */
    struct iv_str playbook;
    struct iv_str key;
    struct iv_str tenant; /* empty: that have none; so it is with agent */
    struct iv_str agent;
    uint32_t states; /* bits 1u << enum iv_run_state; 0: any */
    iv_ns from;      /* when it was planned, from <= planned < until; both 0: any */
    iv_ns until;
    int64_t after; /* seq */
    int64_t before;
    bool newest_first;
    size_t limit; /* 0: 100 */
};
typedef bool (*iv_execution_visit)(void *ctx, const struct iv_execution *execution);
iv_rc iv_reader_executions(struct iv_reader *reader, const struct iv_execution_filter *filter,
                           iv_execution_visit visit, void *ctx, struct iv_err *err);
/* The same within bounds: ends after some ten thousand rows that do not fit. *next: the seq that the next
 * page begins behind; 0: there is nothing behind this one. */
iv_rc iv_reader_executions_page(struct iv_reader *reader, const struct iv_execution_filter *filter,
                                int64_t *next, iv_execution_visit visit, void *ctx, struct iv_err *err);
/* The steps of one execution, by position. */
typedef bool (*iv_step_visit)(void *ctx, const struct iv_step *step);
iv_rc iv_reader_steps(struct iv_reader *reader, struct iv_str execution, iv_step_visit visit, void *ctx,
                      struct iv_err *err);

/* The log of changes of state, oldest first, of one execution (p NULL: of all), with a seq above after. */
typedef bool (*iv_action_visit)(void *ctx, const struct iv_action *action);
iv_rc iv_reader_actions(struct iv_reader *reader, struct iv_str execution, int64_t after, size_t limit,
                        iv_action_visit visit, void *ctx, struct iv_err *err);

/* The newest of one execution, oldest first, without the text but with its cause. */
iv_rc iv_reader_execution_log(struct iv_reader *reader, struct iv_str execution, size_t limit,
                              iv_action_visit visit, void *ctx, struct iv_err *err);

/* Appends the value. IV_E_ABSENT: there is none of this name. */
iv_rc iv_reader_fact(struct iv_reader *reader, struct iv_buf *out, struct iv_str name, struct iv_err *err);

/* The newest seq of each table: where a live stream begins. 0: empty. */
struct iv_store_heads {
    int64_t findings;
    int64_t executions;
    int64_t actions;
    int64_t dead_letters;
};
iv_rc iv_reader_heads(struct iv_reader *reader, struct iv_store_heads *out, struct iv_err *err);

/* Findings by rule, severity, kind and suppression. */
struct iv_finding_count {
    struct iv_str rule;
    enum iv_severity severity;
    enum iv_verdict_kind kind;
    bool suppressed;
    int64_t count;
};
typedef bool (*iv_count_visit)(void *ctx, const struct iv_finding_count *count);
iv_rc iv_reader_counts(struct iv_reader *reader, iv_count_visit visit, void *ctx, struct iv_err *err);

/* The same of findings about events of a period: from <= time < until. */
iv_rc iv_reader_counts_of(struct iv_reader *reader, iv_ns from, iv_ns until, iv_count_visit visit, void *ctx,
                          struct iv_err *err);

/* Appends the digest of the baseline that was in force last before a moment (that was put in force first,
 * where none was), and its document in the log. *count: how many were entered before that moment.
 * IV_E_ABSENT: the log has none. */
iv_rc iv_reader_baseline(struct iv_reader *reader, struct iv_buf *digest, struct iv_buf *document,
                         uint64_t *count, iv_ns until, struct iv_err *err);

/* Visits, in their order, the files of the baseline of a digest in which a text stands, as the log has them;
 * none where the log does not know this baseline. A baseline that was put in force again may be there more
 * than once. */
typedef bool (*iv_file_visit)(void *ctx, struct iv_str path, struct iv_str text);
iv_rc iv_reader_baseline_files(struct iv_reader *reader, struct iv_str digest, struct iv_str with,
                               iv_file_visit visit, void *ctx, struct iv_err *err);

struct iv_store_totals {
    int64_t dead_letters;
    int64_t outbox;                    /* messages that wait for the broker */
    iv_ns outbox_oldest;               /* wall clock of the oldest of them; 0: none waits */
    int64_t executions[IV_RUN_STATES]; /* by enum iv_run_state */
};
iv_rc iv_reader_totals(struct iv_reader *reader, struct iv_store_totals *out, struct iv_err *err);
/* The numbers of the oldest message that waits in the outbox (0: none), and of the newest that was ever
 * there. Numbers rise, and none is given twice. */
iv_rc iv_reader_outbox(struct iv_reader *reader, int64_t *oldest, int64_t *newest, struct iv_err *err);
