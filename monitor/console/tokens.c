/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/tokens: what programs are known by. */
#include "base/clock.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "console/account.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"

#include <inttypes.h>
#include <stdio.h>

enum { WORD_BYTES_MAX = 256, DETAIL_BYTES_MAX = 512, SHOWN_BYTES_MAX = 4096 };

/* Inside an object. */
static void write_members(struct iv_json *j, const struct iv_token *token)
{
    iv_json_text(j, "id", token->id);
    iv_json_text(j, "name", token->name);
    iv_show_roles(j, iv_roles_read(iv_str_of(token->roles)));
    iv_json_text(j, "creator", token->creator);
    iv_json_time(j, "created", token->created);
    iv_json_time(j, "expires", token->expires);
}

struct listing {
    struct iv_json j;
    size_t count;
    char last[48]; /* "CREATED.ID": a cursor that holds when its token is revoked */
};

static void list_token(void *ctx, const struct iv_token *token)
{
    struct listing *l = ctx;
    iv_json_open_object(&l->j, NULL);
    write_members(&l->j, token);
    iv_json_close_object(&l->j);
    l->count++;
    (void)snprintf(l->last, sizeof l->last, "%" PRId64 ".%s", token->created, token->id);
}

/* As list_token makes it. *given: there is one. False: the reply holds the refusal. */
static bool read_after(struct iv_token_place *out, bool *given, struct iv_request *request,
                       struct iv_reply *reply)
{
    struct iv_str after = iv_query_get(request, "after");
    *given = after.p != NULL;
    if (!*given) {
        return true;
    }
    unsigned char bytes[IV_TOKEN_ID_BYTES / 2];
    const char *dot = after.n == 0 ? NULL : memchr(after.p, '.', after.n);
    size_t n = dot == NULL ? after.n : (size_t)(dot - after.p);
    out->id = (struct iv_str){after.p + n + (dot != NULL), after.n - n - (dot != NULL)};
    bool good = dot != NULL && iv_page_int(&out->created, (struct iv_str){after.p, n}) &&
                iv_hex_decode(bytes, sizeof bytes, out->id);
    if (!good) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "after must be the cursor of the page before");
    }
    return good;
}

void iv_answer_tokens(struct iv_reply *reply, struct iv_request *request)
{
    struct listing l = {.j = iv_json_to(&reply->body)};
    struct iv_token_place after;
    struct iv_err err;
    bool given = false;
    size_t limit = 0;
    if (!read_after(&after, &given, request, reply) || !iv_page_limit(&limit, request, reply)) {
        return;
    }
    iv_json_open_object(&l.j, NULL);
    iv_json_open_list(&l.j, "items");
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = iv_reader_tokens(reader, given ? &after : NULL, limit, list_token, &l, &err);
    iv_readers_return(request->console->readers, reader);
    iv_json_close_list(&l.j);
    iv_page_next_text(&l.j, l.count == limit, l.last);
    iv_json_close_object(&l.j);
    iv_page_reply(reply, rc, &err);
}

static iv_rc put(struct iv_store *store, void *ctx, struct iv_err *err)
{
    return iv_store_put_token(store, ctx, err);
}

static bool read_asked(struct iv_token_asked *out, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_body_texts roles = {.count = 0};
    struct iv_err err = {.text = ""};
    const struct iv_body_member members[] = {
        {.name = "name", .text = &out->name, .required = true, .bytes_max = WORD_BYTES_MAX},
        {.name = "roles", .texts = &roles, .required = true, .bytes_max = WORD_BYTES_MAX},
        {.name = "expires", .text = &out->expires, .bytes_max = WORD_BYTES_MAX},
    };
    if (!iv_body_read(request, reply, members, IV_COUNT(members))) {
        return false;
    }
    if (!iv_ok(iv_account_roles(&out->roles, roles.items, roles.count, &err))) {
        iv_reply_failure(reply, &err);
        return false;
    }
    out->creator = iv_str_of(request->who.name);
    return true;
}

/* What a token makes does not outlive it: asked for nothing, it ends with it. */
static iv_rc make_token(struct iv_token *out, char text[IV_SECRET_TEXT_BYTES],
                        const struct iv_token_asked *asked, const struct iv_who *who, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    TRY(iv_account_token(out, text, asked, iv_wall(&clock), err));
    if (who->via == IV_VIA_TOKEN && who->stored && out->expires > who->expires) {
        ENSURE(asked->expires.p == NULL, err, IV_E_RANGE, "a token makes none that outlives it");
        out->expires = who->expires;
    }
    return IV_OK;
}

/* For the record: "job: viewer auditor, until 2026-03-01T00:00:00Z". */
static void write_detail(struct iv_buf *out, const struct iv_token *token)
{
    iv_buf_printf(out, "%s: %s, until ", token->name, token->roles);
    iv_ns_format(out, token->expires);
}

static iv_rc create(struct iv_token *out, char text[IV_SECRET_TEXT_BYTES], const struct iv_token_asked *asked,
                    struct iv_request *request, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf detail;
    iv_buf_init(&detail, DETAIL_BYTES_MAX);
    TRY(make_token(out, text, asked, &request->who, err));
    write_detail(&detail, out);
    const struct iv_change change = {.what = "token.create",
                                     .object = iv_str_of(out->id),
                                     .detail = iv_buf_slice(&detail),
                                     .make = put,
                                     .ctx = out};
    TRY(iv_buf_check(&detail, "a token's record", err));
    return iv_change_make(request, &change, err);
}

void iv_answer_token_create(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_token_asked asked = {.roles = 0};
    struct iv_token token;
    char text[IV_SECRET_TEXT_BYTES];
    struct iv_err err = {.text = ""};
    if (!read_asked(&asked, request, reply)) {
        return;
    }
    if (!iv_ok(create(&token, text, &asked, request, &err))) {
        iv_reply_failure(reply, &err);
        return;
    }
    /* At once, so that no smaller memory is left behind with the secret in it. */
    (void)iv_buf_reserve(&reply->body, SHOWN_BYTES_MAX);
    struct iv_json j = iv_json_to(&reply->body);
    iv_json_open_object(&j, NULL);
    write_members(&j, &token);
    iv_json_text(&j, "token", text);
    iv_json_close_object(&j);
    explicit_bzero(text, sizeof text);
    reply->status = MHD_HTTP_CREATED;
    reply->type = "application/json";
}

static iv_rc remove_one(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct iv_str *id = ctx;
    bool found = false;
    TRY(iv_store_remove_token(store, &found, *id, err));
    ENSURE(found, err, IV_E_ABSENT, "there is no token with this id");
    return IV_OK;
}

void iv_answer_token_revoke(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    const struct iv_change change = {
        .what = "token.revoke", .object = request->variable, .make = remove_one, .ctx = &request->variable};
    struct iv_rc_s rc = iv_change_make(request, &change, &err);
    if (rc.code == IV_E_ABSENT) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "%s", err.text);
    } else if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
    } else {
        reply->status = MHD_HTTP_NO_CONTENT;
    }
}
