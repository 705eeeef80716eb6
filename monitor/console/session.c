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
#include "console/known.h"
#include "console/limit.h"
#include "console/origin.h"
#include "console/readers.h"
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
    char by_name[IV_USER_NAME_BYTES + 8]; /* what the limits are kept by */
    char by_address[80];
    bool is_token; /* the configured one, under its own name */
    struct iv_session session;
    char secret[IV_SECRET_TEXT_BYTES];
};

static bool may_try(struct entry *e, struct iv_request *request, struct iv_reply *reply)
{
    struct iv_limit *limit = request->console->limit;
    struct iv_clock clock = iv_clock_system();
    iv_ns now = iv_monotonic(&clock);
    (void)snprintf(e->by_name, sizeof e->by_name, "name %.*s",
                   (int)(e->name.n > IV_USER_NAME_BYTES ? IV_USER_NAME_BYTES : e->name.n), e->name.p);
    (void)snprintf(e->by_address, sizeof e->by_address, "from %s", request->who.address);
    iv_ns wait = iv_limit_try(limit, iv_str_of(e->by_address), now);
    if (wait == 0) {
        wait = iv_limit_try(limit, iv_str_of(e->by_name), now);
        if (wait > 0) {
            iv_limit_forgive(limit, iv_str_of(e->by_address), false);
        }
    }
    if (wait > 0) {
        reply->retry_after = (unsigned)((wait + IV_NS_PER_S - 1) / IV_NS_PER_S);
        iv_reply_problem(reply, MHD_HTTP_TOO_MANY_REQUESTS, "too many log-ins have failed: wait %u s",
                         reply->retry_after);
    }
    return wait == 0;
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
    e->is_token = console->token_n > 0 && iv_str_eq(e->name, IV_STR("token"));
    if (e->is_token) {
        *out = iv_token_file_is(console, e->password);
        return IV_OK;
    }
    TRY(find_user(&user, &found, console, e->name, err));
    (void)sem_wait(&console->hashing);
    struct iv_rc_s rc = iv_scrypt_is(&same, &user.password, e->password, err);
    (void)sem_post(&console->hashing);
    TRY(rc);
    *out = found && same;
    return IV_OK;
}

static iv_rc write_session(struct iv_store *store, void *ctx, struct iv_err *err)
{
    const struct entry *e = ctx;
    TRY(iv_known_forget(store, e->session.created, err));
    return iv_store_open_session(store, &e->session, err);
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
    iv_known_by_session(&request->who, console, iv_str_of(e->secret));
    iv_limit_forgive(console->limit, iv_str_of(e->by_name), true);
    iv_limit_forgive(console->limit, iv_str_of(e->by_address), false);
    return IV_OK;
}

void iv_answer_log_in(struct iv_reply *reply, struct iv_request *request)
{
    struct entry e = {.is_token = false};
    const struct iv_body_member members[] = {
        {.name = "name", .text = &e.name, .required = true, .bytes_max = IV_USER_NAME_BYTES},
        {.name = "password", .text = &e.password, .required = true, .bytes_max = PASSWORD_BYTES_MAX},
    };
    struct iv_err err = {.text = ""};
    bool right = false;
    if (!iv_origin_is_same(request)) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN, "a page of another origin may not log in here");
        return;
    }
    if (!iv_body_read(request, reply, members, IV_COUNT(members)) || !may_try(&e, request, reply)) {
        return;
    }
    struct iv_rc_s rc = is_right(&right, &e, request->console, &err);
    if (iv_ok(rc) && !right) {
        LOG_WARN("console.log_in.refused", KV_TEXT("from", request->who.address));
        iv_reply_problem(reply, MHD_HTTP_UNAUTHORIZED, "no user of this name has this password");
        return;
    }
    rc = iv_ok(rc) ? let_in(&e, request, &err) : rc;
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
        return;
    }
    set_cookie(reply, request->console, e.secret, COOKIE_SECONDS);
    explicit_bzero(e.secret, sizeof e.secret);
    iv_answer_session(reply, request);
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
