/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with all of an incident's findings that stand. */
#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/store_internal.h"
#include "evidence/triage.h"

#include <string.h>

struct uid {
    char hex[IV_UID_HEX];
};

struct standing {
    struct iv_str rule;
    struct iv_str tenant;
    struct iv_str agent;
    int64_t upto;
    struct uid uids[IV_TRIAGED_AT_ONCE + 1]; /* the last one tells that there are more */
    size_t count;
};

static iv_rc take_uids(struct iv_store *store, struct standing *s, enum iv_triage_verb verb,
                       struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    TRY(iv_store_statement(store, &stmt, IV_SQL_INCIDENT_STANDING, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, s->rule);
    iv_sql_bind_str(&args, s->tenant);
    iv_sql_bind_str(&args, s->agent);
    iv_sql_bind_int(&args, s->upto);
    iv_sql_bind_int(&args, verb == IV_TRIAGE_ACKNOWLEDGE ? IV_TRIAGE_NEW : IV_TRIAGE_ACKNOWLEDGED);
    iv_sql_bind_int(&args, IV_COUNT(s->uids));
    while (s->count < IV_COUNT(s->uids)) {
        bool found = false;
        TRY(iv_sql_step(&store->sql, stmt, &found, "look an incident's findings up", err));
        if (!found) {
            break;
        }
        struct iv_sql_row row = iv_sql_row(stmt);
        struct iv_str uid = iv_sql_get_str(&row);
        ENSURE(uid.n == IV_UID_HEX, err, IV_E_STORE, "a finding in the store has a uid of %zu bytes", uid.n);
        memcpy(s->uids[s->count++].hex, uid.p, IV_UID_HEX);
    }
    return IV_OK;
}

/* The names live in the statement, until it is reset. */
static iv_rc find(struct iv_store *store, sqlite3_stmt *stmt, struct standing *out, int64_t incident,
                  int64_t upto, struct iv_err *err)
{
    bool found = false;
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_int(&args, incident);
    TRY(iv_sql_step(&store->sql, stmt, &found, "look an incident up", err));
    ENSURE(found, err, IV_E_ABSENT, "there is no incident %lld", (long long)incident);
    struct iv_sql_row row = iv_sql_row(stmt);
    out->rule = iv_sql_get_str(&row);
    out->tenant = iv_sql_get_str(&row);
    out->agent = iv_sql_get_str(&row);
    int64_t newest = iv_sql_get_int(&row);
    out->upto = upto == 0 ? newest : upto;
    return IV_OK;
}

/* Of all findings: that of the one that was changed last. */
static iv_rc look_newest_up(struct iv_store *store, int64_t *out, struct iv_err *err)
{
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    bool found = false;
    TRY(iv_store_statement(store, &stmt, IV_SQL_NEWEST_FINDING, err));
    TRY(iv_sql_step(&store->sql, stmt, &found, "look the newest finding up", err));
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = iv_sql_get_int(&row);
    return IV_OK;
}

static void describe(struct iv_buf *out, const struct standing *s)
{
    iv_buf_str(out, s->rule);
    if (s->agent.n > 0) {
        iv_buf_printf(out, " of " IV_STR_FMT, IV_STR_ARG(s->agent));
    }
    if (s->tenant.n > 0) {
        iv_buf_printf(out, " in " IV_STR_FMT, IV_STR_ARG(s->tenant));
    }
}

iv_rc iv_store_triage_incident(struct iv_store *store, struct iv_triage_done *out, struct iv_buf *what,
                               int64_t incident, int64_t upto, const struct iv_triage *triage,
                               struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    IV_AUTO(iv_freep) struct standing *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "no memory left for an incident's findings");
    TRY(iv_store_statement(store, &stmt, IV_SQL_INCIDENT_NAMED, err));
    TRY(find(store, stmt, s, incident, upto, err));
    TRY(take_uids(store, s, triage->verb, err));
    ENSURE(s->count > 0, err, IV_E_REFUSED,
           triage->verb == IV_TRIAGE_ACKNOWLEDGE ? "no finding of this incident that stands is new"
                                                 : "no finding of this incident stands");
    bool more = s->count == IV_COUNT(s->uids);
    s->count -= more ? 1 : 0;
    struct iv_triage one = *triage;
    for (size_t i = 0; i < s->count; i++) {
        one.finding = (struct iv_str){s->uids[i].hex, IV_UID_HEX};
        TRY(iv_store_triage(store, &one, err));
    }
    describe(what, s);
    *out = (struct iv_triage_done){.changed = s->count, .next = more ? s->upto : 0};
    return look_newest_up(store, &out->seq, err);
}
