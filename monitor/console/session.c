/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/session: logging in, who is in and what he may, logging out. */
#include "base/clock.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/secret.h"
#include "console/answer.h"
#include "console/body.h"
#include "console/change.h"
#include "console/hashing.h"
#include "console/known.h"
#include "console/origin.h"
#include "console/readers.h"
#include "console/show.h"
#include "console/token_file.h"
#include "console/tries.h"

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
    struct iv_session session;
    char secret[IV_SECRET_TEXT_BYTES];
};

static iv_ns now_monotonic(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_monotonic(&clock);
}

static struct iv_try try_of(const struct entry *e, const struct iv_request *request)
{
    return (struct iv_try){e->name, request->who.address};
}

static bool may_try(const struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_try who = try_of(e, request);
    iv_ns wait = iv_try_left(request->console->limit, &who, now_monotonic());
    if (wait > 0) {
        reply->retry_after = (unsigned)((wait + IV_NS_PER_S - 1) / IV_NS_PER_S);
        iv_reply_problem(reply, MHD_HTTP_TOO_MANY_REQUESTS, "too many log-ins have failed: wait %u s",
                         reply->retry_after);
    }
    return wait == 0;
}

/* The record has it when somebody begins to have to wait. */
static void refuse(const struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_try who = try_of(e, request);
    struct iv_err err = {.text = ""};
    const struct iv_change change = {.what = "session.lock-out", .object = e->name};
    if (iv_try_failed(request->console->limit, &who, now_monotonic())) {
        (void)snprintf(request->who.name, sizeof request->who.name, "nobody");
        if (!iv_ok(iv_change_make(request, &change, &err))) {
            LOG_WARN("console.access.failed", KV_TEXT("why", err.text));
        }
    }
    LOG_WARN("console.log_in.refused", KV_TEXT("from", request->who.address));
    iv_reply_problem(reply, MHD_HTTP_UNAUTHORIZED, "no user of this name has this password");
}

/* A name that there is not costs what any other does. */
static iv_rc find_user(struct iv_user *out, bool *found, struct iv_console *console, struct iv_str name,
                       struct iv_err *err)
{
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_reader_user(reader, out, name, err);
    iv_readers_return(console->readers, reader);
    *found = iv_ok(rc);
    if (rc.code == IV_E_ABSENT) {
        *out = console->nobody;
        return IV_OK;
    }
    return rc;
}

static iv_rc is_right(bool *out, struct entry *e, struct iv_console *console, struct iv_err *err)
{
    struct iv_user user;
    bool found = false;
    bool same = false;
    if (e->is_token) {
        *out = iv_token_file_is(console, e->password);
        return IV_OK;
    }
    TRY(find_user(&user, &found, console, e->name, err));
    TRY(iv_scrypt_is(&same, &user.password, e->password, err));
    e->changed = user.changed;
    *out = found && same;
    return IV_OK;
}

/* False: the reply says why the password was not looked at, or that it could not be. */
static bool look(bool *right, struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_console *console = request->console;
    struct iv_err err = {.text = ""};
    e->is_token = console->token_n > 0 && iv_str_eq(e->name, IV_STR("token"));
    if (!iv_hashing_enter(console, reply)) {
        return false;
    }
    struct iv_rc_s rc = is_right(right, e, console, &err);
    iv_hashing_leave(console);
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
    }
    return iv_ok(rc);
}

static iv_rc write_session(struct iv_store *store, void *ctx, struct iv_err *err)
{
    struct entry *e = ctx;
    TRY(iv_known_forget(store, e->session.created, err));
    TRY(iv_store_open_session(store, &e->opened, &e->session, e->changed, err));
    ENSURE(e->opened, err, IV_E_ABSENT, "the password was changed meanwhile");
    return IV_OK;
}

static iv_rc let_in(struct entry *e, struct iv_request *request, struct iv_err *err)
{
    struct iv_console *console = request->console;
    TRY(iv_known_new_session(&e->session, e->secret, console, e->name, e->is_token, err));
    (void)snprintf(e->session.address, sizeof e->session.address, "%s", request->who.address);
    (void)snprintf(request->who.name, sizeof request->who.name, "%s", e->session.user);
    request->who.via = IV_VIA_SESSION;
    const struct iv_change change = {
        .what = "session.open", .object = e->name, .make = write_session, .ctx = e};
    TRY(iv_change_make(request, &change, err));
    TRY(iv_known_by_session(&request->who, console, iv_str_of(e->secret), err));
    struct iv_try who = try_of(e, request);
    iv_try_succeeded(console->limit, &who);
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
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) || !may_try(&e, request, reply) ||
        !look(&right, &e, request, reply)) {
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
