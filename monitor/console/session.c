/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/session: logging in, who is in and what he may, his own password, logging out. */
#include "base/guard.h"
#include "base/json_write.h"
#include "base/log.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/known.h"
#include "console/origin.h"
#include "console/page.h"
#include "console/password.h"
#include "console/show.h"
#include "console/token_file.h"

#include <stdio.h>

enum { PASSWORD_BYTES_MAX = 512, COOKIE_SECONDS = 12 * 3600 };

static void write_who(struct iv_json *j, const struct iv_who *who)
{
    iv_json_text(j, "name", who->name);
    iv_json_text(j, "via", iv_via_name(who->via));
    iv_show_roles(j, who->roles);
    iv_json_open_list(j, "permissions");
    for (unsigned i = IV_NEED_GUEST + 1; i < IV_NEEDS; i++) {
        if ((who->permissions & 1u << i) != 0) {
            iv_json_text(j, NULL, iv_permission_name((enum iv_need)i));
        }
    }
    iv_json_close_list(j);
}

void iv_answer_session(struct iv_reply *reply, struct iv_request *request)
{
    const struct iv_who *who = &request->who;
    struct iv_json j = iv_json_to(&reply->body);
    iv_json_open_object(&j, NULL);
    write_who(&j, who);
    if (who->csrf[0] == '\0') {
        iv_json_null(&j, "csrf");
    } else {
        iv_json_text(&j, "csrf", who->csrf);
    }
    if (who->expires == 0) {
        iv_json_null(&j, "expires");
    } else {
        iv_json_time(&j, "expires", who->expires);
    }
    iv_json_close_object(&j);
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
}

static void set_cookie(struct iv_reply *reply, const struct iv_console *console, const char *value,
                       int seconds)
{
    (void)snprintf(reply->cookie, sizeof reply->cookie,
                   "%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", iv_known_cookie(console), value,
                   seconds, console->certificate.n > 0 ? "; Secure" : "");
}

/* A log-in while it is looked at. */
struct entry {
    struct iv_str name;
    struct iv_str password;
    bool is_token; /* the configured one, under its own name */
    iv_ns changed; /* when the password was made that was right; 0: of no user */
    bool opened;
    bool replaces; /* the browser had a session, which ends */
    unsigned char replaced[32];
    struct iv_session session;
    char secret[IV_SECRET_TEXT_BYTES];
};

static void refuse(const struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    iv_password_failed(request, e->name);
    LOG_WARN("console.log_in.refused", KV_TEXT("from", request->who.address));
    iv_reply_problem(reply, MHD_HTTP_UNAUTHORIZED, "no user of this name has this password");
}

/* False: the reply says why the password was not looked at, or that it could not be. */
static bool look(bool *right, struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    e->is_token = request->console->token_n > 0 && iv_str_eq(e->name, IV_STR("token"));
    if (e->is_token) {
        *right = iv_token_file_is(request->console, e->password);
        return true;
    }
    return iv_password_look(right, &e->changed, request, reply, e->name, e->password);
}

static iv_rc write_session(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct entry *e = ctx;
    TRY(iv_known_forget(store, e->session.created, err));
    TRY(iv_store_open_session(store, &e->opened, &e->session, e->changed, err));
    ENSURE(e->opened, err, IV_E_ABSENT, "the password was changed meanwhile");
    return e->replaces ? iv_store_close_session(store, e->replaced, err) : IV_OK;
}

static iv_rc let_in(struct entry *e, struct iv_request *request, struct iv_err *err)
{
    struct iv_console *console = request->console;
    e->replaces = request->who.via == IV_VIA_SESSION && request->who.stored;
    memcpy(e->replaced, request->who.digest, sizeof e->replaced);
    TRY(iv_known_new_session(&e->session, e->secret, console, e->name, e->is_token, err));
    (void)snprintf(e->session.address, sizeof e->session.address, "%s", request->who.address);
    (void)snprintf(request->who.name, sizeof request->who.name, "%s", e->session.user);
    request->who.via = IV_VIA_SESSION;
    const struct iv_change change = {
        .what = "session.open",
        .object = e->name,
        .detail = iv_str_of(e->replaces ? "in the place of the session that the browser had" : ""),
        .make = write_session,
        .ctx = e};
    TRY(iv_change_make(request, &change, err));
    TRY(iv_known_by_session(&request->who, console, iv_str_of(e->secret), err));
    iv_password_succeeded(request, e->name);
    return IV_OK;
}

static void open_session(struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = let_in(e, request, &err);
    if (rc.code == IV_E_ABSENT) {
        iv_reply_problem(reply, MHD_HTTP_UNAUTHORIZED, "no user of this name has this password any more");
    } else if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
    } else {
        set_cookie(reply, request->console, e->secret, COOKIE_SECONDS);
        iv_answer_session(reply, request);
    }
}

void iv_answer_log_in(struct iv_reply *reply, struct iv_request *request)
{
    struct entry e = {.is_token = false};
    const struct iv_body_member members[] = {
        {.name = "name", .text = &e.name, .required = true, .bytes_max = IV_USER_NAME_BYTES},
        {.name = "password", .text = &e.password, .required = true, .bytes_max = PASSWORD_BYTES_MAX},
    };
    bool right = false;
    if (!iv_origin_is_same(request)) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN, "a page of another origin may not log in here");
        return;
    }
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) ||
        !iv_password_may_try(request, reply, e.name) || !look(&right, &e, request, reply)) {
        return;
    }
    if (right) {
        open_session(&e, request, reply);
    } else {
        refuse(&e, request, reply);
    }
    explicit_bzero(&e, sizeof e);
}

static iv_rc end_session(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct iv_who *who = ctx;
    return iv_store_close_session(store, who->digest, err);
}

void iv_answer_log_out(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    const struct iv_change change = {.what = "session.close",
                                     .object = iv_str_of(request->who.name),
                                     .make = end_session,
                                     .ctx = &request->who};
    if (request->who.via != IV_VIA_SESSION) {
        iv_reply_problem(reply, MHD_HTTP_CONFLICT, "only a session is left; this request has none");
        return;
    }
    if (!iv_ok(iv_change_make(request, &change, &err))) {
        iv_reply_failure(reply, &err);
        return;
    }
    set_cookie(reply, request->console, "", 0);
    reply->status = MHD_HTTP_NO_CONTENT;
}

/* A password of his own: the new one, and when the one was made that he has proven. */
struct own {
    struct iv_user user;
    iv_ns proven;
};

static iv_rc set_password(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct own *own = ctx;
    bool found = false;
    TRY(iv_store_set_password(store, &found, &own->user, own->proven, err));
    ENSURE(found, err, IV_E_REFUSED, "you were removed, or given another password, meanwhile");
    return IV_OK;
}

/* The present one is asked for, so that nobody takes over what somebody has left open; whoever guesses at it
 * waits as at the log-in. */
static bool is_his(iv_ns *changed, struct iv_request *request, struct iv_reply *reply, struct iv_str password)
{
    struct iv_str name = iv_str_of(request->who.name);
    bool right = false;
    if (!iv_password_may_try(request, reply, name) ||
        !iv_password_look(&right, changed, request, reply, name, password)) {
        return false;
    }
    if (!right) {
        iv_password_failed(request, name);
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN, "this is not your present password");
    }
    return right;
}

void iv_answer_own_password(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_str name = iv_str_of(request->who.name);
    struct iv_str present = {NULL, 0};
    struct iv_str password = {NULL, 0};
    struct own own = {.proven = 0};
    const struct iv_body_member members[] = {
        {.name = "present", .text = &present, .required = true, .bytes_max = PASSWORD_BYTES_MAX},
        {.name = "password", .text = &password, .required = true, .bytes_max = PASSWORD_BYTES_MAX},
    };
    if (request->who.via != IV_VIA_SESSION || iv_str_eq(name, IV_STR("token"))) {
        iv_reply_problem(reply, MHD_HTTP_CONFLICT, "only a user who has logged in has a password of his own");
        return;
    }
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) ||
        !is_his(&own.proven, request, reply, present) ||
        !iv_password_make(&own.user, request, reply, name, 0, password)) {
        return;
    }
    struct iv_err err = {.text = ""};
    const struct iv_change change = {.what = "user.password",
                                     .object = name,
                                     .detail = IV_STR("his own"),
                                     .make = set_password,
                                     .ctx = &own};
    if (!iv_page_refused(reply, iv_change_make(request, &change, &err), &err)) {
        set_cookie(reply, request->console, "", 0); /* all his sessions have ended, and with them this one */
        reply->status = MHD_HTTP_NO_CONTENT;
    }
}
