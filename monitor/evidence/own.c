/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/own.h"

#include "base/encode.h"
#include "base/guard.h"
#include "evidence/ocsf_internal.h"
#include "evidence/rows.h"
#include "evidence/store_internal.h"
#include "evidence/triage.h"

#include <inttypes.h>
#include <stdio.h>

#define PREFIX "invigil."
#define SOURCE IV_STR("invigil")
#define TEXT_MAX_BYTES (64u << 10)
#define LASTING_MAX 64

static const struct iv_ocsf_class detection_finding = {2, "Findings", 2004, "Detection Finding"};
enum { ACTIVITY_CREATE = 1, ACTIVITY_CLOSE = 3, STATUS_NEW = 1, STATUS_RESOLVED = 4, ANALYTIC_OTHER = 99 };

bool iv_own_is(struct iv_str rule)
{
    return rule.n > sizeof PREFIX - 1 && memcmp(rule.p, PREFIX, sizeof PREFIX - 1) == 0;
}

static void make_uid(char hex[IV_UID_HEX + 1], struct iv_store *store, const struct iv_own_finding *f)
{
    char began[32];
    struct iv_digest digest;
    struct iv_buf out;
    (void)snprintf(began, sizeof began, "%" PRId64, f->began);
    const struct iv_str parts[] = {f->rule, f->subject, iv_str_of(began)};
    iv_digest_begin(store->log.digester, IV_SHA256);
    for (size_t i = 0; i < IV_COUNT(parts); i++) {
        iv_digest_update(store->log.digester, parts[i]);
        iv_digest_update(store->log.digester, (struct iv_str){"", 1});
    }
    iv_digest_end(store->log.digester, &digest);
    iv_buf_init_lent(&out, hex, IV_UID_HEX + 1, IV_UID_HEX);
    iv_hex_encode(&out, (struct iv_str){(const char *)digest.bytes, digest.n});
    hex[IV_UID_HEX] = '\0';
    iv_buf_deinit(&out);
}

/* No record of a stream: it has no topic, partition, offset and digest, and says none. */
static void evidence(struct iv_json *j, const char *role, const struct iv_own_finding *f, const char *type,
                     iv_ns time)
{
    iv_json_open_object(j, NULL);
    iv_json_text(j, "name", role);
    iv_json_str(j, "uid", f->subject);
    iv_json_open_object(j, "data");
    iv_json_str(j, "source", SOURCE);
    iv_json_str(j, "id", f->subject);
    iv_json_text(j, "type", type);
    iv_json_time(j, "time", time);
    iv_json_open_object(j, "fields");
    iv_json_str(j, "subject", f->subject);
    iv_json_str(j, "detail", f->detail);
    iv_json_close_object(j);
    iv_json_close_object(j);
    iv_json_close_object(j);
}

static void finding_info(struct iv_json *j, const struct iv_own_finding *f, const char *uid)
{
    iv_json_open_object(j, "finding_info");
    iv_json_text(j, "uid", uid);
    iv_json_str(j, "title", f->title);
    iv_json_open_object(j, "analytic");
    iv_json_str(j, "uid", f->rule);
    iv_json_str(j, "name", f->title);
    iv_json_int(j, "type_id", ANALYTIC_OTHER);
    iv_json_text(j, "type", "The monitor's own state");
    iv_json_close_object(j);
    iv_json_open_list(j, "data_sources");
    iv_json_str(j, NULL, SOURCE);
    iv_json_close_list(j);
    iv_json_int(j, "first_seen_time", iv_ocsf_ms(f->began));
    iv_json_int(j, "last_seen_time", iv_ocsf_ms(f->over == 0 ? f->began : f->over));
    iv_json_close_object(j);
}

static void compliance(struct iv_json *j, const struct iv_own_finding *f)
{
    struct iv_str rest = f->criteria;
    iv_json_open_object(j, "compliance");
    iv_json_open_list(j, "standards");
    iv_json_text(j, NULL, "SOC 2 TSC 2017");
    iv_json_close_list(j);
    iv_json_open_list(j, "requirements");
    while (rest.n > 0) {
        const char *end = memchr(rest.p, ' ', rest.n);
        size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
        iv_json_str(j, NULL, (struct iv_str){rest.p, n});
        n += end == NULL ? 0 : 1;
        rest = (struct iv_str){rest.p + n, rest.n - n};
    }
    iv_json_close_list(j);
    iv_json_str(j, "control", f->title);
    iv_json_int(j, "status_id", 3);
    iv_json_text(j, "status", "Fail");
    iv_json_close_object(j);
}

static void write_ocsf(struct iv_buf *out, const struct iv_own_finding *f, const char *uid)
{
    char type[128];
    bool over = f->over != 0;
    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_ocsf_classification(j, &detection_finding, over ? ACTIVITY_CLOSE : ACTIVITY_CREATE,
                           over ? "Close" : "Create", f->severity);
    iv_json_int(j, "time", iv_ocsf_ms(f->began));
    iv_json_int(j, "start_time", iv_ocsf_ms(f->began));
    iv_json_int(j, "end_time", iv_ocsf_ms(over ? f->over : f->began));
    iv_json_str(j, "message", f->title);
    iv_json_int(j, "status_id", over ? STATUS_RESOLVED : STATUS_NEW);
    iv_json_text(j, "status", over ? "Resolved" : "New");
    iv_json_str(j, "status_detail", f->detail);
    iv_json_bool(j, "is_alert", true);
    finding_info(j, f, uid);
    compliance(j, f);
    iv_json_open_list(j, "evidences");
    (void)snprintf(type, sizeof type, IV_STR_FMT, IV_STR_ARG(f->rule));
    evidence(j, "trigger", f, type, f->began);
    if (over) {
        (void)snprintf(type, sizeof type, IV_STR_FMT ".over", IV_STR_ARG(f->rule));
        evidence(j, "witness", f, type, f->over);
    }
    iv_json_close_list(j);
    iv_json_open_object(j, "metadata");
    iv_ocsf_product(j);
    iv_json_str(j, "log_name", SOURCE);
    iv_json_time(j, "original_time", f->began);
    iv_json_close_object(j);
    iv_json_open_object(j, "unmapped");
    iv_json_text(j, "verdict", iv_verdict_kind_name(over ? IV_UPDATED : IV_VIOLATED));
    iv_json_text(j, "mode", iv_mode_name(IV_MODE_ENFORCE));
    iv_json_int(j, "witness_total", over);
    iv_json_close_object(j);
    iv_json_close_object(j);
}

static iv_rc close_own(struct iv_store *store, struct iv_str uid, iv_ns now, struct iv_err *err)
{
    const struct iv_triage triage = {.finding = uid,
                                     .verb = IV_TRIAGE_CLOSE,
                                     .who = IV_STR(IV_OWN_WHO),
                                     .at = now,
                                     .assignee = IV_STR(""),
                                     .text = IV_STR("it is over"),
                                     .reason = IV_STR("resolved")};
    struct iv_rc_s rc = iv_store_triage(store, &triage, err);
    return rc.code == IV_E_REFUSED ? IV_OK : rc; /* somebody was faster */
}

iv_rc iv_store_put_own(struct iv_store *store, const struct iv_own_finding *f, iv_ns now, struct iv_err *err)
{
    char uid[IV_UID_HEX + 1];
    enum iv_put put = IV_PUT_SAME;
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, TEXT_MAX_BYTES);
    make_uid(uid, store, f);
    write_ocsf(&text, f, uid);
    TRY(iv_buf_check(&text, "a finding as JSON", err));
    const struct iv_finding row = {
        .uid = {uid, IV_UID_HEX},
        .kind = f->over == 0 ? IV_VIOLATED : IV_UPDATED,
        .rule = f->rule,
        .title = f->title,
        .severity = f->severity,
        .mode = IV_MODE_ENFORCE,
        .criteria = f->criteria,
        .tenant = IV_STR(""),
        .agent = IV_STR(""),
        .trigger_source = SOURCE,
        .trigger_id = f->subject,
        .trigger_type = f->rule,
        .time = f->began,
        .detected = now,
        .witnesses = f->over != 0,
        .ocsf = iv_buf_slice(&text),
    };
    TRY(iv_store_put_finding(store, &put, &row, err));
    if (put == IV_PUT_SAME) {
        return IV_OK;
    }
    const struct iv_posting posting = {
        .channel = IV_CHANNEL_FINDING, .key = row.uid, .value = row.ocsf, .time = now};
    TRY(iv_store_post(store, NULL, &posting, err));
    return f->over == 0 ? IV_OK : close_own(store, row.uid, now, err);
}

iv_rc iv_store_tell_own(struct iv_store *store, const struct iv_finding *told, struct iv_err *err)
{
    enum iv_put put = IV_PUT_SAME;
    TRY(iv_store_put_finding(store, &put, told, err));
    return put != IV_PUT_SAME && told->kind == IV_UPDATED ? close_own(store, told->uid, told->detected, err)
                                                          : IV_OK;
}

static iv_rc read_lasting(struct iv_own_finding *out, sqlite3_stmt *stmt, struct iv_str rule,
                          struct iv_arena *arena, struct iv_err *err)
{
    struct iv_sql_row row = iv_sql_row(stmt);
    *out = (struct iv_own_finding){.rule = rule, .title = iv_sql_get_str(&row)};
    int64_t severity = iv_sql_get_int(&row);
    ENSURE(severity >= IV_SEV_INFO && severity <= IV_SEV_CRITICAL, err, IV_E_STORE,
           "a finding in the store has a severity that is none");
    out->severity = (enum iv_severity)severity;
    out->criteria = iv_sql_get_str(&row);
    out->subject = iv_sql_get_str(&row);
    out->began = iv_sql_get_int(&row);
    ENSURE(iv_arena_keep(arena, &out->title) && iv_arena_keep(arena, &out->criteria) &&
               iv_arena_keep(arena, &out->subject),
           err, IV_E_NOMEM, "no memory left to read findings");
    return IV_OK;
}

iv_rc iv_store_own_lasting(struct iv_store *store, struct iv_own_finding **out, size_t *count,
                           struct iv_str rule, struct iv_arena *arena, struct iv_err *err)
{
    IV_CHECK(store->inside);
    IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
    struct iv_own_finding *list = iv_arena_alloc(arena, LASTING_MAX * sizeof *list);
    ENSURE(list != NULL, err, IV_E_NOMEM, "no memory left to read findings");
    TRY(iv_store_statement(store, &stmt, IV_SQL_OWN_LASTING, err));
    struct iv_sql_args args = iv_sql_args(stmt);
    iv_sql_bind_str(&args, rule);
    iv_sql_bind_int(&args, LASTING_MAX);
    *out = list;
    for (*count = 0; *count < LASTING_MAX; ++*count) {
        bool more = false;
        TRY(iv_sql_step(&store->sql, stmt, &more, "read findings", err));
        if (!more) {
            break;
        }
        TRY(read_lasting(&list[*count], stmt, rule, arena, err));
    }
    return IV_OK;
}
