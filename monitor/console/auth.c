/* SPDX-License-Identifier: Apache-2.0 */
#include "console/auth.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "base/secret.h"
#include "console/change.h"
#include "console/known.h"
#include "console/origin.h"
#include "console/tls.h"
#include "console/token_file.h"
#include "console/tries.h"

#include <netdb.h>
#include <stdio.h>
#include <strings.h>

static void look_at_address(struct iv_who *who, struct iv_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr == NULL) {
        return;
    }
    socklen_t size =
        info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (getnameinfo(info->client_addr, size, who->address, sizeof who->address, NULL, 0, NI_NUMERICHOST) !=
        0) {
        who->address[0] = '\0';
    }
}

static void is_known(struct iv_who *who, const char *name, enum iv_via via, unsigned roles)
{
    (void)snprintf(who->name, sizeof who->name, "%s", name);
    who->via = via;
    who->roles = roles;
    who->permissions = iv_roles_may(roles);
}

static iv_rc look_at_credentials(struct iv_who *who, struct iv_console *console, const char *header,
                                 struct iv_err *err)
{
    bool bearer = strncasecmp(header, "Bearer ", 7) == 0;
    bool basic = strncasecmp(header, "Basic ", 6) == 0;
    struct iv_str sent = iv_str_of(bearer ? header + 7 : basic ? header + 6 : "");
    if (bearer && strncmp(sent.p, IV_TOKEN_PREFIX, strlen(IV_TOKEN_PREFIX)) == 0) {
        TRY(iv_known_by_token(who, console, sent, err));
    }
    if ((bearer && iv_token_file_is(console, sent)) || (basic && iv_token_file_is_basic(console, sent))) {
        is_known(who, "token", IV_VIA_TOKEN, 1u << IV_ROLE_OF_ADMIN);
        who->ambient = basic;
    }
    return IV_OK;
}

static iv_rc look_at_certificate(struct iv_who *who, struct iv_request *request, struct iv_err *err)
{
    char name[IV_WHO_NAME_BYTES];
    iv_ns expires = 0;
    if (!iv_tls_peer_name(name, sizeof name, &expires, request->connection)) {
        return IV_OK;
    }
    return iv_known_by_certificate(who, request->console, name, expires, err);
}

static const char *credentials_of(const struct iv_request *request)
{
    return request->console->open
               ? NULL
               : MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization");
}

struct cookie {
    const char *name;
    const char *value; /* NULL: it was not sent */
};

static enum MHD_Result look_at_cookie(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct cookie *cookie = ctx;
    if (strcmp(name, cookie->name) == 0) {
        cookie->value = value;
        return MHD_NO;
    }
    return MHD_YES;
}

/* The library's own search takes names that differ in case for one; a browser may let another host set
 * "__host-invigil", which is not the cookie that only we can set. */
static const char *cookie_of(struct iv_request *request)
{
    struct cookie cookie = {.name = iv_known_cookie(request->console)};
    (void)MHD_get_connection_values(request->connection, MHD_COOKIE_KIND, look_at_cookie, &cookie);
    return cookie.value;
}

/* What is sent on purpose counts before what a browser brings along; and if it is wrong, nothing else does.
 */
static iv_rc find_out(struct iv_who *who, struct iv_request *request, struct iv_err *err)
{
    struct iv_console *console = request->console;
    const char *header = credentials_of(request);
    const char *cookie = cookie_of(request);
    if (header != NULL) {
        return look_at_credentials(who, console, header, err);
    }
    if (cookie != NULL) {
        TRY(iv_known_by_session(who, console, iv_str_of(cookie), err));
    }
    if (who->via == IV_VIA_NOTHING && console->client_ca.n > 0) {
        TRY(look_at_certificate(who, request, err));
    }
    if (who->via == IV_VIA_NOTHING && console->open) {
        is_known(who, "demo", IV_VIA_DEMO, IV_ROLES_ALL);
        who->ambient = true;
    }
    return IV_OK;
}

/* Of a token of the form of those that are made: enough to tell it from another one. */
static struct iv_str token_of(const char *header)
{
    static const char bearer[] = "Bearer ";
    bool made = header != NULL && strncasecmp(header, bearer, sizeof bearer - 1) == 0 &&
                strncmp(header + sizeof bearer - 1, IV_TOKEN_PREFIX, strlen(IV_TOKEN_PREFIX)) == 0;
    return iv_str_of(made ? header + sizeof bearer - 1 : "");
}

/* Who sends wrong tokens, one after the other, waits between them. False: the reply says how long, or that
 * the store could not be asked. */
static bool look(struct iv_request *request, struct iv_reply *reply)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_tries *tries = request->console->tries;
    const char *header = credentials_of(request);
    const struct iv_try who = {{NULL, 0}, request->who.address, token_of(header)};
    bool sent = header != NULL;
    struct iv_err err = {.text = ""};
    iv_ns wait = sent ? iv_try_left(tries, &who, iv_monotonic(&clock)) : 0;
    if (wait > 0) {
        reply->retry_after = (unsigned)((wait + IV_NS_PER_S - 1) / IV_NS_PER_S);
        iv_reply_problem(reply, MHD_HTTP_TOO_MANY_REQUESTS, "too many wrong tokens came from here: wait %u s",
                         reply->retry_after);
        return false;
    }
    if (!iv_ok(find_out(&request->who, request, &err))) {
        LOG_WARN("console.access.failed", KV_TEXT("why", err.text));
        reply->retry_after = 1;
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "the store cannot be asked who this is, try again");
        return false;
    }
    if (sent && request->who.via == IV_VIA_NOTHING && iv_try_failed(tries, &who, iv_monotonic(&clock))) {
        iv_change_lock_out(request, (struct iv_str){"", 0});
    }
    return true;
}

/* A browser that is offered Basic asks its user by itself. That is of use to who goes to an address of the
 * API, and in the way of a page, which has a log-in of its own. */
static const char *challenge_of(struct iv_request *request)
{
    const char *mode = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Sec-Fetch-Mode");
    bool page = mode != NULL && strcmp(mode, "navigate") != 0;
    return request->console->token_n > 0 && !page ? "Basic realm=\"Invigil\", charset=\"UTF-8\""
                                                  : "Bearer realm=\"Invigil\"";
}

static bool may(struct iv_request *request, struct iv_reply *reply, enum iv_need need)
{
    const struct iv_who *who = &request->who;
    if (need == IV_NEED_GUEST) {
        return true;
    }
    if (who->via == IV_VIA_NOTHING) {
        reply->challenge = challenge_of(request);
        iv_reply_problem(reply, MHD_HTTP_UNAUTHORIZED,
                         "log in, or send a token: Authorization: Bearer TOKEN");
        return false;
    }
    if ((who->permissions & 1u << need) == 0) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN, "this needs the permission '%s', which %s does not have",
                         iv_permission_name(need), who->name);
        return false;
    }
    return true;
}

static bool is_wanted(struct iv_request *request, struct iv_reply *reply)
{
    if (strcmp(request->method, MHD_HTTP_METHOD_GET) == 0 || !request->who.ambient) {
        return true;
    }
    if (!iv_origin_is_same(request)) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN, "a page of another origin may change nothing here");
        return false;
    }
    if (request->who.csrf[0] == '\0' && !iv_origin_is_on_purpose(request)) {
        iv_reply_problem(
            reply, MHD_HTTP_FORBIDDEN,
            "a change needs Content-Type: application/json, which no form of another site can send");
        return false;
    }
    const char *csrf = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "X-CSRF-Token");
    if (request->who.csrf[0] != '\0' &&
        (csrf == NULL || !iv_secret_eq(iv_str_of(request->who.csrf), iv_str_of(csrf)))) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN,
                         "a change by a session needs the header X-CSRF-Token: GET /api/v1/session has it");
        return false;
    }
    return true;
}

bool iv_auth_admits(struct iv_request *request, struct iv_reply *reply, enum iv_need need)
{
    struct iv_console *console = request->console;
    look_at_address(&request->who, request);
    if (console->open && !iv_origin_host_is_ours(request)) {
        iv_reply_problem(reply, MHD_HTTP_MISDIRECTED_REQUEST,
                         "without authentication the console answers under its loopback address only");
        return false;
    }
    if (need == IV_NEED_OPEN) {
        return true;
    }
    if (console->client_ca.n > 0 && !iv_tls_peer_is_known(request->connection)) {
        iv_reply_problem(reply, MHD_HTTP_FORBIDDEN,
                         "a client certificate of the configured authority is needed");
        return false;
    }
    return look(request, reply) && may(request, reply, need) && is_wanted(request, reply);
}
