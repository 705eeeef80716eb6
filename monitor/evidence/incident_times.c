/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/incident_times.h"

#include "base/guard.h"
#include "evidence/query.h"

struct answering {
    int64_t rows;
    bool observed;  /* some would have acted, and may not */
    bool acting;    /* some may */
    bool under_way; /* some has not ended */
    bool failed;
    bool unproven;
    iv_ns acted; /* 0: nothing was called */
    iv_ns proven;
};

static iv_ns earlier(iv_ns a, iv_ns b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

static void note_state(struct answering *a, enum iv_run_state state, iv_ns finished)
{
    switch (state) {
    case IV_RUN_PLANNED:
    case IV_RUN_WAITING:
    case IV_RUN_RUNNING:
        a->under_way = true;
        break;
    case IV_RUN_VERIFIED:
        a->proven = finished > a->proven ? finished : a->proven;
        break;
    case IV_RUN_DONE:
    case IV_RUN_AMBIGUOUS:
        a->unproven = true;
        break;
    case IV_RUN_FAILED:
    case IV_RUN_UNDONE:
    case IV_RUN_REFUSED:
        a->failed = true;
        break;
    case IV_RUN_SUPERSEDED:
    case IV_RUN_WITHHELD:
    case IV_RUN_STATES:
        break;
    }
}

static iv_rc read_one(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    struct answering *a = ctx;
    enum iv_run_state state = IV_RUN_PLANNED;
    struct iv_str name = iv_sql_get_str(row);
    ENSURE(iv_run_state_of(&state, name), err, IV_E_STORE,
           "an execution in the store has state '" IV_STR_FMT "', which is none", IV_STR_ARG(name));
    bool observed = iv_sql_get_int(row) != 0;
    iv_ns started = iv_sql_get_int(row);
    iv_ns finished = iv_sql_get_int(row);
    bool taken_over = iv_sql_get_int(row) != 0;
    *on = ++a->rows <= IV_INCIDENT_EXECUTIONS;
    if (observed) {
        a->observed = true;
        return IV_OK;
    }
    a->acting = true;
    a->acted = earlier(a->acted, started);
    if (!taken_over) {
        note_state(a, state, finished);
    }
    return IV_OK;
}

/* One that went wrong, and behind which another one was planned for the same finding, handed over to it. */
static iv_rc read_answering(struct iv_reader *reader, struct answering *out, const struct iv_incident *i,
                            struct iv_err *err)
{
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q,
                  "SELECT e.state, e.observed, e.started, e.finished, e.state IN ('failed', 'ambiguous')"
                  " AND EXISTS (SELECT 1 FROM execution_findings o JOIN executions l ON l.key = o.execution"
                  " WHERE o.finding = e.finding AND l.key <> e.key AND l.observed = 0"
                  " AND l.planned >= e.finished) FROM executions e WHERE e.key IN (SELECT x.execution FROM"
                  " (SELECT f.uid FROM findings f INDEXED BY findings_by_incident WHERE f.rule = ?"
                  " AND f.tenant = ? AND f.agent = ? ORDER BY f.seq DESC LIMIT ?) n"
                  " JOIN execution_findings x ON x.finding = n.uid"
                  " UNION SELECT * FROM (SELECT p.key FROM executions p INDEXED BY executions_by_incident"
                  " WHERE p.rule = ? AND p.tenant = ? AND p.agent = ? LIMIT ?)) LIMIT ?");
    for (int which = 0; which < 2; which++) {
        iv_query_bind_str(&q, i->rule);
        iv_query_bind_str(&q, i->tenant);
        iv_query_bind_str(&q, i->agent);
        iv_query_bind_int(&q, which == 0 ? IV_INCIDENT_JOINED : IV_INCIDENT_EXECUTIONS + 1);
    }
    iv_query_bind_int(&q, IV_INCIDENT_EXECUTIONS + 1);
    return iv_query_each(reader, &q, read_one, out, "read what answers an incident", err);
}

static const char *why_nothing(const struct answering *a)
{
    return a->observed ? "observed" : "no-execution";
}

static const char *why_not_contained(const struct answering *a, const struct iv_incident *i)
{
    bool answered = a->under_way || a->failed || a->unproven || a->proven > 0;
    if (a->rows > IV_INCIDENT_EXECUTIONS) {
        return "too-many";
    }
    if (!a->acting || !answered) {
        return why_nothing(a);
    }
    return a->under_way           ? "under-way"
           : a->failed            ? "failed"
           : a->unproven          ? "not-proven"
           : i->last >= a->proven ? "found-since"
                                  : NULL;
}

static iv_ns between(iv_ns from, iv_ns to)
{
    return to > 0 && to >= from ? to - from : -1;
}

iv_rc iv_reader_incident_times(struct iv_reader *reader, struct iv_incident_times *out,
                               const struct iv_incident *i, struct iv_err *err)
{
    struct answering a = {.rows = 0};
    TRY(read_answering(reader, &a, i, err));
    *out = (struct iv_incident_times){.detected = i->detected,
                                      .acted = a.acted,
                                      .detect = between(i->first, i->detected),
                                      .act = i->detected == 0 ? -1 : between(i->detected, a.acted)};
    out->not_acted = a.acted > 0   ? NULL
                     : !a.acting   ? why_nothing(&a)
                     : a.under_way ? "not-begun"
                                   : "not-called";
    out->not_contained = why_not_contained(&a, i);
    out->contained = out->not_contained == NULL ? a.proven : 0;
    out->contain = between(i->first, out->contained);
    return IV_OK;
}
