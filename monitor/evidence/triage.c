/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/triage.h"

#include "base/buf.h"
#include "base/guard.h"
#include "evidence/query.h"
#include "evidence/store_internal.h"

#define DETAIL_MAX_BYTES (32u << 10)

static const char *const names[IV_TRIAGE_VERBS] = {
#define VERB(id, name) [IV_TRIAGE_##id] = name,
#include "evidence/triage_verbs.def"
#undef VERB
};

const char *iv_triage_verb_name(enum iv_triage_verb verb)
{
    return names[verb];
}

bool iv_triage_verb_of(enum iv_triage_verb *out, struct iv_str name)
{
    for (int i = 0; i < IV_TRIAGE_VERBS; i++) {
        if (iv_str_eq(iv_str_of(names[i]), name)) {
            *out = (enum iv_triage_verb)i;
            return true;
        }
    }
    return false;
}

/* The state that a finding is in after this; IV_TRIAGE_STATES: this cannot be done to it. */
static enum iv_triage_state next_state(enum iv_triage_state state, enum iv_triage_verb verb)
{
    static const enum iv_triage_state no = IV_TRIAGE_STATES;
    bool is_open = state == IV_TRIAGE_NEW || state == IV_TRIAGE_ACKNOWLEDGED;
    switch (verb) {
    case IV_TRIAGE_ACKNOWLEDGE:
        return state == IV_TRIAGE_NEW ? IV_TRIAGE_ACKNOWLEDGED : no;
    case IV_TRIAGE_CLOSE:
        return is_open ? IV_TRIAGE_CLOSED : no;
    case IV_TRIAGE_REOPEN:
        return is_open ? no : IV_TRIAGE_NEW;
    case IV_TRIAGE_SUPPRESS:
        return is_open ? IV_TRIAGE_SUPPRESSED : no;
    case IV_TRIAGE_ASSIGN:
    case IV_TRIAGE_COMMENT:
    case IV_TRIAGE_VERBS:
        return state;
    }
    return state;
}

static iv_rc state_of(struct iv_store *store, enum iv_triage_state *out, struct iv_str uid,
                      struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_TRIAGE_STATE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, uid);
    TRY(iv_sql_step(&store->sql, stmt, &found, "look a finding up", err));
    ENSURE(found, err, IV_E_ABSENT, "there is no finding '" IV_STR_FMT "'", IV_STR_ARG(uid));
    struct iv_sql_row row = iv_sql_row(stmt);
    int64_t state = iv_sql_get_int(&row);
    bool waived = iv_sql_get_int(&row) != 0;
    ENSURE(!waived, err, IV_E_REFUSED, "a waiver of the baseline holds for this finding: it is suppressed");
    *out = (enum iv_triage_state)state;
    return IV_OK;
}

static iv_rc move(struct iv_store *store, const struct iv_triage *t, enum iv_triage_state state,
                  struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_TRIAGE_MOVE, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, t->finding);
    iv_sql_bind_int(&args, state);
    iv_sql_bind_int(&args, t->verb == IV_TRIAGE_ASSIGN);
    iv_sql_bind_str(&args, t->assignee);
    return iv_sql_run(&store->sql, stmt, "change a finding's state", err);
}

/* "to carol: on it", "false-positive: a load test" */
static void write_detail(struct iv_buf *out, const struct iv_triage *t)
{
    if (t->verb == IV_TRIAGE_ASSIGN) {
        iv_buf_printf(out, t->assignee.n == 0 ? "to nobody" : "to " IV_STR_FMT, IV_STR_ARG(t->assignee));
    }
    iv_buf_str(out, t->reason);
    if (t->verb == IV_TRIAGE_SUPPRESS) {
        iv_buf_text(out, ", until ");
        iv_ns_format(out, t->until);
    }
    iv_buf_text(out, out->n > 0 && t->text.n > 0 ? ": " : "");
    iv_buf_str(out, t->text);
}

static iv_rc enter(struct iv_store *store, const struct iv_triage *t, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf detail;
    iv_buf_init(&detail, DETAIL_MAX_BYTES);
    write_detail(&detail, t);
    TRY(iv_buf_check(&detail, "a line of triage", err));
    TRY(iv_store_statement(store, &stmt, IV_SQL_TRIAGE_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, t->finding);
    iv_sql_bind_int(&args, t->at);
    iv_sql_bind_str(&args, t->who);
    iv_sql_bind_str(&args, iv_str_of(names[t->verb]));
    iv_sql_bind_str(&args, iv_buf_slice(&detail));
    struct iv_rc_s rc = iv_sql_run(&store->sql, stmt, "write a line of triage", err);
    iv_sql_resetp(&stmt); /* before the text that it is bound to goes */
    return rc;
}

static iv_rc waive(struct iv_store *store, const struct iv_triage *t, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_WAIVER_INSERT, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, t->finding);
    iv_sql_bind_int(&args, t->until);
    iv_sql_bind_str(&args, t->who);
    iv_sql_bind_str(&args, t->reason);
    iv_sql_bind_int(&args, t->at);
    return iv_sql_run(&store->sql, stmt, "write a waiver", err);
}

iv_rc iv_store_triage(struct iv_store *store, const struct iv_triage *triage, struct iv_err *err)
{
    IV_CHECK(store->inside);
    enum iv_triage_state state = IV_TRIAGE_NEW;
    TRY(state_of(store, &state, triage->finding, err));
    enum iv_triage_state next = next_state(state, triage->verb);
    ENSURE(next != IV_TRIAGE_STATES, err, IV_E_REFUSED, "the finding is %s: one cannot %s it",
           iv_triage_state_name(state), names[triage->verb]);
    TRY(move(store, triage, next, err));
    if (triage->verb == IV_TRIAGE_SUPPRESS) {
        TRY(waive(store, triage, err));
    }
    return enter(store, triage, err);
}

iv_rc iv_store_end_waiver(struct iv_store *store, int64_t id, struct iv_str who, iv_ns at, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_WAIVER_END, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, id);
    iv_sql_bind_int(&args, at);
    iv_sql_bind_str(&args, who);
    TRY(iv_sql_run(&store->sql, stmt, "end a waiver", err));
    ENSURE(sqlite3_changes(store->sql.db) > 0, err, IV_E_ABSENT, "there is no waiver %lld that holds",
           (long long)id);
    return IV_OK;
}

struct visiting {
    union {
        iv_triage_visit line;
        iv_waiver_visit waiver;
    } visit;
    void *ctx;
};

static iv_rc read_line(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct visiting *v = ctx;
    struct iv_triage_line line = {.at = iv_sql_get_int(row)};
    line.who = iv_sql_get_str(row);
    line.verb = iv_sql_get_str(row);
    line.detail = iv_sql_get_str(row);
    *on = v->visit.line(v->ctx, &line);
    return IV_OK;
}

iv_rc iv_reader_triage(struct iv_reader *reader, struct iv_str finding, size_t limit, iv_triage_visit visit,
                       void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit.line = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, "SELECT at, who, verb, detail FROM (SELECT * FROM triage");
    iv_query_str(&q, "finding = ?", finding);
    iv_query_order(&q, "seq", true, limit);
    iv_query_more(&q, ") ORDER BY seq");
    return iv_query_each(reader, &q, read_line, &v, "read what was done with a finding", err);
}

static iv_rc read_waiver(void *ctx, struct iv_sql_row *row, bool *on, struct iv_err *err)
{
    (void)err;
    const struct visiting *v = ctx;
    struct iv_console_waiver w = {.id = iv_sql_get_int(row)};
    w.finding = iv_sql_get_str(row);
    w.rule = iv_sql_get_str(row);
    w.tenant = iv_sql_get_str(row);
    w.agent = iv_sql_get_str(row);
    w.until = iv_sql_get_int(row);
    w.author = iv_sql_get_str(row);
    w.reason = iv_sql_get_str(row);
    w.created = iv_sql_get_int(row);
    w.ended = iv_sql_get_int(row);
    w.ended_by = iv_sql_get_str(row);
    *on = v->visit.waiver(v->ctx, &w);
    return IV_OK;
}

#define SELECT_WAIVERS                                                                                       \
    "SELECT id, finding, rule, tenant, agent, until, author, reason, created, ended, ended_by FROM waivers"

iv_rc iv_reader_waivers(struct iv_reader *reader, int64_t before, size_t limit, iv_waiver_visit visit,
                        void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit.waiver = visit, .ctx = ctx};
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, SELECT_WAIVERS);
    iv_query_int(&q, before != 0, "id < ?", before);
    iv_query_order(&q, "id", true, limit);
    return iv_query_each(reader, &q, read_waiver, &v, "read waivers", err);
}

iv_rc iv_reader_waiver_of(struct iv_reader *reader, const struct iv_finding *finding, iv_waiver_visit visit,
                          void *ctx, struct iv_err *err)
{
    struct visiting v = {.visit.waiver = visit, .ctx = ctx};
    if (finding->triage != IV_TRIAGE_SUPPRESSED) {
        return IV_OK;
    }
    IV_AUTO(iv_query_deinit) struct iv_query q;
    iv_query_init(&q, SELECT_WAIVERS);
    iv_query_condition(&q, "rule = ? AND tenant = ? AND agent = ? AND (created <="
                           " (SELECT max(at) FROM triage WHERE finding = ? AND verb = 'suppress') OR"
                           " (created <= ? AND until > ? AND (ended = 0 OR ended > ?)))");
    iv_query_bind_str(&q, finding->rule);
    iv_query_bind_str(&q, finding->tenant);
    iv_query_bind_str(&q, finding->agent);
    iv_query_bind_str(&q, finding->uid);
    for (size_t i = 0; i < 3; i++) {
        iv_query_bind_int(&q, finding->detected);
    }
    iv_query_order(&q, "id", true, 1);
    return iv_query_each(reader, &q, read_waiver, &v, "read a waiver", err);
}
