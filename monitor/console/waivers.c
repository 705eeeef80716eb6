/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/waivers: what was suppressed on the console, and until when. */
#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/change.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/triage.h"

#include <stdio.h>

/* Names of 4 KiB each, of which JSON may make six times as much. */
enum { YAML_BYTES_MAX = 128 * 1024, DETAIL_BYTES_MAX = 32 * 1024 };

struct listing {
    struct iv_json j;
    size_t count;
    int64_t last;
};

/* A baseline matches by globs: a name with their signs in it would stand for others too. */
static bool is_plain(struct iv_str name)
{
    return name.n == 0 || (memchr(name.p, '*', name.n) == NULL && memchr(name.p, '?', name.n) == NULL);
}

static void yaml_member(struct iv_buf *out, const char *name, struct iv_str value, bool first)
{
    iv_buf_printf(out, "%s%s: ", first ? "" : ", ", name);
    iv_json_string(out, value); /* which is YAML's double-quoted form as well */
}

/* As the baseline's file has it. Null where it cannot say the same. */
static void write_yaml(struct iv_json *j, const struct iv_console_waiver *w)
{
    if (!is_plain(w->tenant) || !is_plain(w->agent) || (w->tenant.n == 0 && w->agent.n == 0)) {
        iv_json_null(j, "yaml");
        return;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf yaml;
    iv_buf_init(&yaml, YAML_BYTES_MAX);
    iv_buf_text(&yaml, "- {");
    yaml_member(&yaml, "rule", w->rule, true);
    iv_buf_text(&yaml, ", match: {");
    if (w->tenant.n > 0) {
        yaml_member(&yaml, "tenant", w->tenant, true);
    }
    if (w->agent.n > 0) {
        yaml_member(&yaml, "agent", w->agent, w->tenant.n == 0);
    }
    iv_buf_text(&yaml, "}");
    yaml_member(&yaml, "reason", w->reason, false);
    yaml_member(&yaml, "by", w->author, false);
    iv_buf_text(&yaml, ", until: ");
    iv_ns_format(&yaml, w->until);
    iv_buf_text(&yaml, "}");
    iv_buf_inherit(j->out, &yaml);
    iv_json_str(j, "yaml", iv_buf_slice(&yaml));
}

static bool write_waiver(void *ctx, const struct iv_console_waiver *w)
{
    struct listing *l = ctx;
    char id[24];
    (void)snprintf(id, sizeof id, "%lld", (long long)w->id);
    iv_json_open_object(&l->j, NULL);
    iv_json_text(&l->j, "id", id);
    iv_json_str(&l->j, "finding", w->finding);
    iv_json_str(&l->j, "rule", w->rule);
    iv_show_optional(&l->j, "tenant", w->tenant);
    iv_show_optional(&l->j, "agent", w->agent);
    iv_show_waiver(&l->j, w);
    write_yaml(&l->j, w);
    iv_json_close_object(&l->j);
    l->count++;
    l->last = w->id;
    return !iv_page_is_full(&l->j);
}

static iv_rc write_waivers(struct iv_buf *out, struct iv_reader *reader, int64_t before, size_t limit,
                           struct iv_err *err)
{
    struct listing l = {.j = iv_json_to(out)};
    iv_json_open_object(&l.j, NULL);
    iv_json_open_list(&l.j, "items");
    TRY(iv_reader_waivers(reader, before, limit, write_waiver, &l, err));
    iv_json_close_list(&l.j);
    iv_page_next(&l.j, iv_page_goes_on(&l.j, l.count, limit), l.last);
    iv_json_close_object(&l.j);
    return IV_OK;
}

void iv_answer_waivers(struct iv_reply *reply, struct iv_request *request)
{
    uint64_t before = 0;
    size_t limit = 0;
    if (!iv_query_number(&before, request, reply, "after", 0, INT64_MAX) ||
        !iv_page_limit(&limit, request, reply)) {
        return;
    }
    struct iv_err err;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_waivers(&reply->body, reader, (int64_t)before, limit, &err);
    iv_readers_return(request->console->readers, reader);
    iv_page_reply(reply, rc, &err);
}

struct ending {
    int64_t id;
    struct iv_str who;
    struct iv_buf what; /* for the record: what is ended */
};

static iv_rc end(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct ending *e = ctx;
    struct iv_clock clock = iv_clock_system();
    return iv_store_end_waiver(store, e->id, e->who, iv_wall(&clock), err);
}

static bool describe(void *ctx, const struct iv_console_waiver *w)
{
    struct ending *e = ctx;
    if (w->id == e->id) {
        iv_buf_printf(&e->what, IV_STR_FMT " of " IV_STR_FMT " in " IV_STR_FMT ", by " IV_STR_FMT " until ",
                      IV_STR_ARG(w->rule), IV_STR_ARG(w->agent), IV_STR_ARG(w->tenant),
                      IV_STR_ARG(w->author));
        iv_ns_format(&e->what, w->until);
        iv_buf_printf(&e->what, ": " IV_STR_FMT, IV_STR_ARG(w->reason));
    }
    return false;
}

static iv_rc make_end(struct ending *e, struct iv_request *request, struct iv_err *err)
{
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = iv_reader_waivers(reader, e->id + 1, 1, describe, e, err);
    iv_readers_return(request->console->readers, reader);
    TRY(rc);
    TRY(iv_buf_check(&e->what, "what a waiver was for", err));
    const struct iv_change change = {.what = "waiver.end",
                                     .object = request->variable,
                                     .detail = iv_buf_slice(&e->what),
                                     .make = end,
                                     .ctx = e};
    return iv_change_make(request, &change, err);
}

static bool id_parse(int64_t *out, struct iv_str text)
{
    int64_t id = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.n > 18 || text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        id = id * 10 + (text.p[i] - '0');
    }
    *out = id;
    return text.n > 0;
}

void iv_answer_waiver_end(struct iv_reply *reply, struct iv_request *request)
{
    struct ending ending = {.who = iv_str_of(request->who.name)};
    struct iv_err err = {.text = ""};
    if (!id_parse(&ending.id, request->variable)) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "a waiver's id is a number");
        return;
    }
    iv_buf_init(&ending.what, DETAIL_BYTES_MAX);
    struct iv_rc_s rc = make_end(&ending, request, &err);
    iv_buf_deinit(&ending.what);
    if (!iv_page_refused(reply, rc, &err)) {
        reply->status = MHD_HTTP_NO_CONTENT;
    }
}
