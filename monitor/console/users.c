/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/users: who may log in. */
#include "base/guard.h"
#include "base/json_write.h"
#include "console/account.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/page.h"
#include "console/password.h"
#include "console/query.h"
#include "console/readers.h"
#include "console/show.h"

enum { WORD_BYTES_MAX = 512 };

static void write_user(void *ctx, const struct iv_user *user)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_text(j, "name", user->name);
    iv_show_roles(j, iv_roles_read(iv_str_of(user->roles)));
    iv_json_time(j, "created", user->created);
    iv_json_time(j, "changed", user->changed);
    iv_json_close_object(j);
}

struct listing {
    struct iv_json j;
    size_t count;
    char last[IV_USER_NAME_BYTES + 1];
};

static void list_user(void *ctx, const struct iv_user *user)
{
    struct listing *l = ctx;
    write_user(&l->j, user);
    l->count++;
    memcpy(l->last, user->name, sizeof l->last);
}

void iv_answer_users(struct iv_reply *reply, struct iv_request *request)
{
    struct listing l = {.j = iv_json_to(&reply->body)};
    struct iv_err err;
    struct iv_str after = iv_query_get(request, "after");
    size_t limit = 0;
    if (!iv_page_limit(&limit, request, reply)) {
        return;
    }
    if (after.p != NULL && !iv_ok(iv_account_name(after, &err))) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "after must be the cursor of the page before");
        return;
    }
    iv_json_open_object(&l.j, NULL);
    iv_json_open_list(&l.j, "items");
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = iv_reader_users(reader, after, limit, list_user, &l, &err);
    iv_readers_return(request->console->readers, reader);
    iv_json_close_list(&l.j);
    iv_page_next_text(&l.j, l.count == limit, l.last);
    iv_json_close_object(&l.j);
    iv_page_reply(reply, rc, &err);
}

/* A change of one user; applied: there was something to change. */
struct changing {
    struct iv_user user;
    struct iv_str name;
    unsigned roles;
    struct iv_str detail;     /* the roles, as words */
    const struct iv_who *who; /* removes one */
    bool applied;
};

static iv_rc put(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct changing *c = ctx;
    TRY(iv_store_put_user(store, &c->applied, &c->user, err));
    ENSURE(c->applied, err, IV_E_ABSENT, "there is a user of this name already");
    return IV_OK;
}

static iv_rc remove_one(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct changing *c = ctx;
    TRY(iv_store_remove_user(store, &c->applied, c->name, err));
    ENSURE(c->applied, err, IV_E_ABSENT, "there is no user of this name");
    bool left = true;
    if (c->who->via == IV_VIA_TOKEN && c->who->stored) {
        TRY(iv_store_has_token(store, &left, c->who->digest, err));
    }
    /* His tokens have gone with him. */
    ENSURE(left, err, IV_E_REFUSED, "nobody removes himself, nor does a token of his: another admin can");
    return IV_OK;
}

static iv_rc set_password(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct changing *c = ctx;
    TRY(iv_store_set_password(store, &c->applied, &c->user, 0, err));
    ENSURE(c->applied, err, IV_E_ABSENT, "there is no user of this name");
    return IV_OK;
}

static iv_rc set_roles(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct changing *c = ctx;
    bool makes_tokens = (iv_roles_may(c->roles) & 1u << IV_NEED_ADMIN) != 0;
    TRY(iv_store_set_roles(store, &c->applied, c->name, c->detail, makes_tokens, err));
    ENSURE(c->applied, err, IV_E_ABSENT, "there is no user of this name");
    return IV_OK;
}

/* absent: what it is where the change found nothing to change, or found it there. */
static bool apply(struct iv_request *request, struct iv_reply *reply, const struct iv_change *change,
                  unsigned absent)
{
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = iv_change_make(request, change, &err);
    if (rc.code == IV_E_ABSENT || rc.code == IV_E_REFUSED) {
        iv_reply_problem(reply, rc.code == IV_E_ABSENT ? absent : MHD_HTTP_CONFLICT, "%s", err.text);
    } else if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
    }
    return iv_ok(rc);
}

/* A user has no end, and a token that was made has one. */
static bool may_outlive(const struct iv_request *request, struct iv_reply *reply)
{
    bool ends = request->who.via == IV_VIA_TOKEN && request->who.stored;
    if (ends) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN,
                         "a token makes nothing that outlives it: no user, no password and no roles");
    }
    return !ends;
}

void iv_answer_user_add(struct iv_reply *reply, struct iv_request *request)
{
    struct changing c = {.applied = false};
    struct iv_str password = {NULL, 0};
    struct iv_body_texts roles = {.count = 0};
    unsigned bits = 0;
    struct iv_err err = {.text = ""};
    const struct iv_body_member members[] = {
        {.name = "name", .text = &c.name, .required = true, .bytes_max = WORD_BYTES_MAX},
        {.name = "roles", .texts = &roles, .required = true, .bytes_max = WORD_BYTES_MAX},
        {.name = "password", .text = &password, .required = true, .bytes_max = WORD_BYTES_MAX},
    };
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) || !may_outlive(request, reply)) {
        return;
    }
    if (!iv_ok(iv_account_roles(&bits, roles.items, roles.count, &err))) {
        iv_reply_failure(reply, &err);
        return;
    }
    if (!iv_password_make(&c.user, request, reply, c.name, bits, password)) {
        return;
    }
    const struct iv_change change = {
        .what = "user.add", .object = c.name, .detail = iv_str_of(c.user.roles), .make = put, .ctx = &c};
    if (apply(request, reply, &change, MHD_HTTP_CONFLICT)) {
        struct iv_json j = iv_json_to(&reply->body);
        write_user(&j, &c.user);
        reply->status = MHD_HTTP_CREATED;
        reply->type = "application/json";
    }
}

void iv_answer_user_remove(struct iv_reply *reply, struct iv_request *request)
{
    struct changing c = {.name = request->variable, .who = &request->who};
    const struct iv_change change = {.what = "user.remove", .object = c.name, .make = remove_one, .ctx = &c};
    if (iv_str_eq(c.name, iv_str_of(request->who.name))) {
        iv_reply_problem(reply, MHD_HTTP_CONFLICT, "nobody removes himself: another admin can");
    } else if (apply(request, reply, &change, MHD_HTTP_NOT_FOUND)) {
        reply->status = MHD_HTTP_NO_CONTENT;
    }
}

void iv_answer_user_password(struct iv_reply *reply, struct iv_request *request)
{
    struct changing c = {.name = request->variable};
    struct iv_str password = {NULL, 0};
    const struct iv_body_member members[] = {
        {.name = "password", .text = &password, .required = true, .bytes_max = WORD_BYTES_MAX}};
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) || !may_outlive(request, reply) ||
        !iv_password_make(&c.user, request, reply, c.name, 0, password)) {
        return;
    }
    const struct iv_change change = {
        .what = "user.password", .object = c.name, .make = set_password, .ctx = &c};
    if (apply(request, reply, &change, MHD_HTTP_NOT_FOUND)) {
        reply->status = MHD_HTTP_NO_CONTENT;
    }
}

/* What he may changes with his next request. */
void iv_answer_user_roles(struct iv_reply *reply, struct iv_request *request)
{
    struct changing c = {.name = request->variable};
    struct iv_body_texts roles = {.count = 0};
    const struct iv_body_member members[] = {
        {.name = "roles", .texts = &roles, .required = true, .bytes_max = WORD_BYTES_MAX}};
    struct iv_err err = {.text = ""};
    char words[IV_ROLES_BYTES];
    struct iv_buf text;
    iv_buf_init_lent(&text, words, sizeof words, sizeof words - 1);
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) || !may_outlive(request, reply)) {
        return;
    }
    if (iv_str_eq(c.name, iv_str_of(request->who.name))) {
        iv_reply_problem(reply, MHD_HTTP_CONFLICT, "nobody changes his own roles: another admin can");
        return;
    }
    if (!iv_ok(iv_account_roles(&c.roles, roles.items, roles.count, &err))) {
        iv_reply_failure(reply, &err);
        return;
    }
    iv_roles_write(&text, c.roles);
    c.detail = iv_buf_slice(&text);
    const struct iv_change change = {
        .what = "user.roles", .object = c.name, .detail = c.detail, .make = set_roles, .ctx = &c};
    if (apply(request, reply, &change, MHD_HTTP_NOT_FOUND)) {
        reply->status = MHD_HTTP_NO_CONTENT;
    }
}
