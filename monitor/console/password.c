/* SPDX-License-Identifier: Apache-2.0 */
#include "console/password.h"

#include "base/clock.h"
#include "base/guard.h"
#include "console/account.h"
#include "console/change.h"
#include "console/hashing.h"
#include "console/readers.h"
#include "console/tries.h"

static iv_ns now_monotonic(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_monotonic(&clock);
}

static struct iv_try try_of(const struct iv_request *request, struct iv_str name)
{
    return (struct iv_try){.name = name, .address = request->who.address};
}

bool iv_password_may_try(struct iv_request *request, struct iv_reply *reply, struct iv_str name)
{
    struct iv_try who = try_of(request, name);
    iv_ns wait = iv_try_left(request->console->tries, &who, now_monotonic());
    if (wait > 0) {
        reply->retry_after = (unsigned)((wait + IV_NS_PER_S - 1) / IV_NS_PER_S);
        iv_reply_problem(reply, MHD_HTTP_TOO_MANY_REQUESTS, "too many log-ins have failed: wait %u s",
                         reply->retry_after);
    }
    return wait == 0;
}

void iv_password_failed(struct iv_request *request, struct iv_str name)
{
    struct iv_try who = try_of(request, name);
    if (iv_try_failed(request->console->tries, &who, now_monotonic())) {
        iv_change_lock_out(request, name);
    }
}

void iv_password_succeeded(struct iv_request *request, struct iv_str name)
{
    struct iv_try who = try_of(request, name);
    iv_try_succeeded(request->console->tries, &who);
}

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

static iv_rc look(bool *right, iv_ns *changed, struct iv_console *console, struct iv_str name,
                  struct iv_str password, struct iv_err *err)
{
    struct iv_user user;
    bool found = false;
    bool same = false;
    TRY(find_user(&user, &found, console, name, err));
    TRY(iv_scrypt_is(&same, &user.password, password, err));
    *changed = user.changed;
    *right = found && same;
    return IV_OK;
}

/* The end of a hashing. */
static bool done(struct iv_rc_s rc, struct iv_console *console, struct iv_reply *reply,
                 const struct iv_err *err)
{
    iv_hashing_leave(console);
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, err);
    }
    return iv_ok(rc);
}

bool iv_password_look(bool *right, iv_ns *changed, struct iv_request *request, struct iv_reply *reply,
                      struct iv_str name, struct iv_str password)
{
    struct iv_err err = {.text = ""};
    return iv_hashing_enter(request->console, reply) &&
           done(look(right, changed, request->console, name, password, &err), request->console, reply, &err);
}

bool iv_password_make(struct iv_user *out, struct iv_request *request, struct iv_reply *reply,
                      struct iv_str name, unsigned roles, struct iv_str password)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_err err = {.text = ""};
    return iv_hashing_enter(request->console, reply) &&
           done(iv_account_user(out, name, roles, password, iv_wall(&clock), &err), request->console, reply,
                &err);
}
