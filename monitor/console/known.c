/* SPDX-License-Identifier: Apache-2.0 */
#include "console/known.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/readers.h"
#include "console/uses.h"

#include <stdio.h>

static const iv_ns session_most = 12 * 3600 * IV_NS_PER_S;
static const iv_ns session_idle = 30 * 60 * IV_NS_PER_S;
static const iv_ns use_every = 60 * IV_NS_PER_S; /* so seldom is it written that a session is used */

#define TOKEN_USER "token"

static iv_ns now_wall(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_wall(&clock);
}

const char *iv_known_cookie(const struct iv_console *console)
{
    return console->certificate.n > 0 ? "__Host-invigil" : "invigil";
}

/* Of the configured token a session's digest covers the token too, so that it ends with it. */
static iv_rc digest_of(unsigned char out[IV_KEY_DIGEST_BYTES], const struct iv_console *console,
                       struct iv_str secret, bool for_token, struct iv_err *err)
{
    const struct iv_str parts[] = {secret, {console->token, console->token_n}};
    return iv_account_digest(out, parts, for_token ? 2 : 1, err);
}

static bool in_force(const struct iv_session *session, iv_ns now)
{
    return now < iv_ns_add(session->created, session_most) && now < iv_ns_add(session->used, session_idle);
}

/* IV_E_ABSENT: there is none, or its time is over. */
static iv_rc use_session(struct iv_session *out, struct iv_console *console,
                         const unsigned char digest[IV_KEY_DIGEST_BYTES], struct iv_err *err)
{
    iv_ns now = now_wall();
    iv_ns noted = iv_uses_of(console->uses, digest);
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_reader_session(reader, out, digest, err);
    iv_readers_return(console->readers, reader);
    TRY(rc);
    out->used = out->used > noted ? out->used : noted;
    ENSURE(in_force(out, now), err, IV_E_ABSENT, "the session is over");
    if (now - out->used > use_every) {
        iv_uses_note(console->uses, digest, now);
    }
    return IV_OK;
}

static void be(struct iv_who *who, const char *name, enum iv_via via, unsigned roles,
               const unsigned char digest[IV_KEY_DIGEST_BYTES])
{
    (void)snprintf(who->name, sizeof who->name, "%s", name);
    who->via = via;
    who->roles = roles;
    who->permissions = iv_roles_may(roles);
    who->stored = via != IV_VIA_CERTIFICATE;
    memcpy(who->digest, digest, IV_KEY_DIGEST_BYTES);
}

/* What a page of ours can say, and one of another site cannot know: it follows from the cookie, which no
 * script can read, and the cookie does not follow from it. */
static bool write_csrf(char out[IV_CSRF_DIGITS + 1], struct iv_str secret)
{
    unsigned char digest[IV_KEY_DIGEST_BYTES];
    struct iv_err err;
    struct iv_buf hex;
    const struct iv_str parts[] = {IV_STR("invigil csrf "), secret};
    if (!iv_ok(iv_account_digest(digest, parts, 2, &err))) {
        return false;
    }
    iv_buf_init_lent(&hex, out, IV_CSRF_DIGITS + 1, IV_CSRF_DIGITS);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest, IV_CSRF_DIGITS / 2});
    iv_buf_deinit(&hex);
    return true;
}

static void take_session(struct iv_who *who, const struct iv_session *session, unsigned roles,
                         struct iv_str secret)
{
    if (roles == 0 || !write_csrf(who->csrf, secret)) {
        return;
    }
    be(who, session->user, IV_VIA_SESSION, roles, session->digest);
    who->expires = iv_ns_add(session->created, session_most);
    who->ambient = true;
}

static iv_rc known(struct iv_rc_s rc)
{
    return rc.code == IV_E_ABSENT ? IV_OK : rc;
}

iv_rc iv_known_by_session(struct iv_who *who, struct iv_console *console, struct iv_str secret,
                          struct iv_err *err)
{
    struct iv_session session;
    unsigned char digest[IV_KEY_DIGEST_BYTES];
    TRY(digest_of(digest, console, secret, false, err));
    struct iv_rc_s rc = use_session(&session, console, digest, err);
    if (iv_ok(rc)) {
        take_session(who, &session, iv_roles_read(iv_str_of(session.roles)), secret);
        return IV_OK;
    }
    if (rc.code != IV_E_ABSENT || console->token_n == 0) {
        return known(rc);
    }
    TRY(digest_of(digest, console, secret, true, err));
    rc = use_session(&session, console, digest, err);
    if (iv_ok(rc)) {
        take_session(who, &session, 1u << IV_ROLE_OF_ADMIN, secret);
    }
    return known(rc);
}

/* IV_E_ABSENT: there is none, or its time is over. */
static iv_rc read_token(struct iv_token *out, struct iv_console *console,
                        const unsigned char digest[IV_KEY_DIGEST_BYTES], struct iv_err *err)
{
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_reader_token(reader, out, digest, err);
    iv_readers_return(console->readers, reader);
    TRY(rc);
    ENSURE(now_wall() < out->expires, err, IV_E_ABSENT, "the token has expired");
    return IV_OK;
}

iv_rc iv_known_by_token(struct iv_who *who, struct iv_console *console, struct iv_str secret,
                        struct iv_err *err)
{
    struct iv_token token;
    unsigned char digest[IV_KEY_DIGEST_BYTES];
    char name[IV_WHO_NAME_BYTES];
    TRY(iv_account_digest(digest, &secret, 1, err));
    struct iv_rc_s rc = read_token(&token, console, digest, err);
    if (iv_ok(rc)) {
        iv_account_token_maker(name, &token);
        be(who, name, IV_VIA_TOKEN, iv_roles_read(iv_str_of(token.roles)), digest);
        who->expires = token.expires;
    }
    return known(rc);
}

iv_rc iv_known_by_certificate(struct iv_who *who, struct iv_console *console, const char *name, iv_ns expires,
                              struct iv_err *err)
{
    static const unsigned char none[IV_KEY_DIGEST_BYTES];
    struct iv_user user;
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_reader_user(reader, &user, iv_str_of(name), err);
    iv_readers_return(console->readers, reader);
    if (iv_ok(rc)) {
        be(who, user.name, IV_VIA_CERTIFICATE, iv_roles_read(iv_str_of(user.roles)), none);
    } else if (rc.code == IV_E_ABSENT && console->token_n == 0) {
        be(who, name, IV_VIA_CERTIFICATE, 1u << IV_ROLE_OF_VIEWER, none);
    }
    who->expires = expires;
    who->ambient = true;
    return known(rc);
}

static bool certificate_still(struct iv_rc_s *rc, struct iv_console *console, const struct iv_who *who,
                              struct iv_err *err)
{
    struct iv_who now = {.name = ""};
    *rc = iv_known_by_certificate(&now, console, who->name, who->expires, err);
    return now_wall() < who->expires && (now.permissions & 1u << IV_NEED_READ) != 0;
}

bool iv_known_still(struct iv_console *console, const struct iv_who *who)
{
    struct iv_session session;
    struct iv_token token;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = IV_OK;
    bool still = true;
    if (who->via == IV_VIA_CERTIFICATE) {
        still = certificate_still(&rc, console, who, &err);
    } else if (who->stored) {
        rc = who->via == IV_VIA_SESSION ? use_session(&session, console, who->digest, &err)
                                        : read_token(&token, console, who->digest, &err);
        still = iv_ok(rc);
    }
    if (!iv_ok(rc) && rc.code != IV_E_ABSENT) {
        LOG_WARN("console.access.failed", KV_TEXT("why", err.text));
        return true;
    }
    return still;
}

iv_rc iv_known_new_session(struct iv_session *out, char secret[IV_SECRET_TEXT_BYTES],
                           struct iv_console *console, struct iv_str user, bool for_token, struct iv_err *err)
{
    iv_ns now = now_wall();
    *out = (struct iv_session){.created = now, .used = now};
    (void)snprintf(out->user, sizeof out->user, IV_STR_FMT, IV_STR_ARG(user));
    iv_account_secret(secret, "");
    return digest_of(out->digest, console, iv_str_of(secret), for_token, err);
}

iv_rc iv_known_forget(struct iv_store *store, iv_ns now, struct iv_err *err)
{
    return iv_store_forget_sessions(store, iv_ns_add(now, -session_most), iv_ns_add(now, -session_idle), err);
}
