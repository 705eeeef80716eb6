/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/findings/{uid}: one finding, with the rule, what was done about it and what people made of it. */
#include "base/guard.h"
#include "base/json_write.h"
#include "baseline/rule_text.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/incident.h"
#include "evidence/own.h"
#include "evidence/triage.h"

enum { ACTIONS_OF_A_FINDING_MAX = 16, LINES_MAX = 200, SAW_BYTES_MAX = 1 << 20, TEXT_BYTES_MAX = 4 << 20 };

/* Of the text of a finding, whoever wrote it: no string in it can look like this, for its quotes are escaped.
 */
static struct iv_str digest_of(struct iv_str ocsf)
{
    static const char tag[] = "{\"name\":\"baseline.digest\",\"value\":\"";
    const char *found = ocsf.n == 0 ? NULL : memmem(ocsf.p, ocsf.n, tag, sizeof tag - 1);
    if (found == NULL) {
        return IV_STR("");
    }
    const char *begin = found + sizeof tag - 1;
    const char *end = memchr(begin, '"', (size_t)(ocsf.p + ocsf.n - begin));
    return (struct iv_str){begin, end == NULL ? 0 : (size_t)(end - begin)};
}

static struct iv_str line_take(struct iv_str *rest)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    struct iv_str line = {rest->p, end == NULL ? rest->n : (size_t)(end - rest->p)};
    size_t used = line.n + (end == NULL ? 0 : 1);
    *rest = (struct iv_str){rest->p + used, rest->n - used};
    return line;
}

static size_t indent_of(struct iv_str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ') {
        n++;
    }
    return n;
}

static bool begins_form(struct iv_str line)
{
    static const struct iv_str forms[] = {IV_STR_INIT("forbid:"), IV_STR_INIT("require:"),
                                          IV_STR_INIT("limit:"), IV_STR_INIT("same:")};
    size_t indent = indent_of(line);
    for (size_t i = 0; i < IV_COUNT(forms); i++) {
        if (line.n - indent >= forms[i].n && memcmp(line.p + indent, forms[i].p, forms[i].n) == 0) {
            return true;
        }
    }
    return false;
}

/* What the rule forbids, requires, limits or holds equal: from that key to the next one beside it. */
static struct iv_str clause_of(struct iv_str source)
{
    struct iv_str rest = source;
    while (rest.n > 0) {
        struct iv_str line = line_take(&rest);
        if (!begins_form(line)) {
            continue;
        }
        struct iv_str clause = line;
        while (rest.n > 0) {
            struct iv_str next = line_take(&rest);
            if (indent_of(next) < next.n && indent_of(next) <= indent_of(line)) {
                break;
            }
            clause.n = (size_t)(next.p + next.n - clause.p);
        }
        return clause;
    }
    return IV_STR("");
}

struct detail {
    struct iv_json j;
    struct iv_console *console;
    struct iv_reader *reader;
    bool grouped; /* it is in an incident */
    struct iv_rc_s rc;
    struct iv_err *err;
};

/* The finding says it itself, so a baseline that was changed since takes nothing away. */
static iv_rc write_saw(struct detail *d, const struct iv_finding *finding)
{
    static const char unknown[] = "it was found by a version that did not keep what its rules saw";
    static const char own[] = "the monitor found it about itself: no rule of a baseline has seen anything";
    IV_AUTO(iv_buf_deinit) struct iv_buf saw;
    int64_t left_out;
    iv_buf_init(&saw, SAW_BYTES_MAX);
    TRY(iv_reader_saw(d->reader, &saw, &left_out, finding->uid, d->err));
    if (saw.n == 0) {
        iv_json_null(&d->j, "saw");
        iv_json_text(&d->j, "unseen", iv_own_is(finding->rule) ? own : unknown);
    } else {
        iv_json_raw(&d->j, "saw", iv_buf_slice(&saw));
        iv_json_null(&d->j, "unseen");
    }
    iv_json_int(&d->j, "left_out", left_out);
    return IV_OK;
}

struct told {
    struct iv_str id;
    struct iv_buf *out;
    struct iv_rc_s rc;
    struct iv_err *err;
};

static bool take_rule(void *ctx, struct iv_str path, struct iv_str text)
{
    (void)path;
    struct told *t = ctx;
    t->rc = iv_rule_text(t->out, text, t->id, t->err);
    return iv_ok(t->rc) && t->out->n == 0;
}

/* Of the baseline that found it: the one in force is at hand, those before it are in the log. */
static iv_rc find_text(struct detail *d, struct iv_buf *out, struct iv_str digest, struct iv_str rule)
{
    IV_AUTO(iv_coverage_rules_unrefp) struct iv_coverage_rules *rules = iv_coverage_rules_get(d->console);
    if (iv_str_eq(digest, rules->digest)) {
        iv_buf_str(out, iv_coverage_source(rules, rule));
    } else if (digest.n > 0 && !iv_own_is(rule)) {
        struct told t = {.id = rule, .out = out, .rc = IV_OK, .err = d->err};
        TRY(iv_reader_baseline_files(d->reader, digest, rule, take_rule, &t, d->err));
        TRY(t.rc);
    }
    return iv_buf_check(out, "a rule's text", d->err);
}

static iv_rc write_rule(struct detail *d, const struct iv_finding *finding)
{
    struct iv_json *j = &d->j;
    struct iv_str digest = digest_of(finding->ocsf);
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, TEXT_BYTES_MAX);
    TRY(find_text(d, &text, digest, finding->rule));
    iv_json_open_object(j, "rule");
    iv_json_str(j, "id", finding->rule);
    iv_show_optional(j, "baseline", digest);
    iv_show_optional(j, "text", iv_buf_slice(&text));
    iv_show_optional(j, "clause", clause_of(iv_buf_slice(&text)));
    TRY(write_saw(d, finding));
    iv_json_close_object(j);
    return IV_OK;
}

struct waiver_place {
    struct iv_json *j;
    bool shown;
};

static bool write_line(void *ctx, const struct iv_triage_line *line)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_time(j, "at", line->at);
    iv_json_str(j, "who", line->who);
    iv_json_str(j, "do", line->verb);
    iv_show_optional(j, "text", line->detail);
    iv_json_close_object(j);
    return true;
}

static bool show_waiver(void *ctx, const struct iv_console_waiver *waiver)
{
    struct waiver_place *place = ctx;
    iv_json_open_object(place->j, "waiver");
    iv_show_waiver(place->j, waiver);
    iv_json_close_object(place->j);
    place->shown = true;
    return false;
}

static iv_rc write_waiver(struct detail *d, const struct iv_finding *finding)
{
    struct waiver_place place = {.j = &d->j};
    TRY(iv_reader_waiver_of(d->reader, finding, show_waiver, &place, d->err));
    if (!place.shown) {
        iv_json_null(&d->j, "waiver");
    }
    return IV_OK;
}

static iv_rc write_triage(struct detail *d, const struct iv_finding *finding)
{
    iv_json_open_object(&d->j, "triage");
    iv_json_text(&d->j, "state", iv_triage_state_name(finding->triage));
    iv_show_optional(&d->j, "assignee", finding->assignee);
    iv_json_open_list(&d->j, "history");
    TRY(iv_reader_triage(d->reader, finding->uid, LINES_MAX, write_line, &d->j, d->err));
    iv_json_close_list(&d->j);
    TRY(write_waiver(d, finding));
    iv_json_close_object(&d->j);
    return IV_OK;
}

static bool show_incident(void *ctx, const struct iv_incident *i)
{
    struct detail *d = ctx;
    iv_json_open_object(&d->j, "incident");
    iv_json_int(&d->j, "id", i->id);
    iv_json_int(&d->j, "seq", i->seq);
    iv_json_int(&d->j, "count", i->count);
    iv_json_int(&d->j, "open", i->live);
    iv_json_text(&d->j, "state", iv_triage_state_name(i->state));
    iv_json_close_object(&d->j);
    d->grouped = true;
    return false;
}

static iv_rc write_incident(struct detail *d, const struct iv_finding *finding)
{
    TRY(iv_reader_incident_of(d->reader, finding, show_incident, d, d->err));
    if (!d->grouped) {
        iv_json_null(&d->j, "incident");
    }
    return IV_OK;
}

static bool write_detail(void *ctx, const struct iv_finding *finding)
{
    struct detail *d = ctx;
    iv_show_finding(&d->j, "finding", finding);
    iv_json_raw(&d->j, "ocsf", finding->ocsf);
    d->rc = write_rule(d, finding);
    if (iv_ok(d->rc)) {
        d->rc = write_triage(d, finding);
    }
    if (iv_ok(d->rc)) {
        d->rc = write_incident(d, finding);
    }
    return true;
}

static iv_rc write_finding(struct iv_buf *out, struct iv_console *console, struct iv_reader *reader,
                           struct iv_str uid, struct iv_err *err)
{
    struct detail d = {.j = iv_json_to(out), .console = console, .reader = reader, .rc = IV_OK, .err = err};
    const struct iv_execution_filter filter = {.finding = uid, .limit = ACTIONS_OF_A_FINDING_MAX};
    int64_t next;
    iv_json_open_object(&d.j, NULL);
    TRY(iv_reader_finding(reader, uid, write_detail, &d, err));
    TRY(d.rc);
    TRY(iv_show_executions(&d.j, "actions", reader, &filter, &next, err));
    iv_json_close_object(&d.j);
    return IV_OK;
}

static bool is_uid(struct iv_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!((text.p[i] >= '0' && text.p[i] <= '9') || (text.p[i] >= 'a' && text.p[i] <= 'f'))) {
            return false;
        }
    }
    return text.n == IV_UID_HEX;
}

void iv_answer_finding(struct iv_reply *reply, struct iv_request *request)
{
    if (!is_uid(request->variable)) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "a finding's uid has %d hex digits, in lower case",
                         IV_UID_HEX);
        return;
    }
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_finding(&reply->body, request->console, reader, request->variable, &err);
    iv_readers_return(request->console->readers, reader);
    if (!iv_ok(rc) && rc.code == IV_E_ABSENT) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "there is no finding with this uid");
        return;
    }
    iv_page_reply(reply, rc, &err);
}
