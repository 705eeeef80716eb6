/* SPDX-License-Identifier: Apache-2.0 */
#include "console/auth.h"

#include "base/guard.h"
#include "base/secret.h"
#include "console/known.h"
#include "console/origin.h"
#include "console/readers.h"
#include "console/tls.h"
#include "console/token_file.h"

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

static void look_at_credentials(struct iv_who *who, struct iv_console *console, const char *header)
{
    bool bearer = strncasecmp(header, "Bearer ", 7) == 0;
    bool basic = strncasecmp(header, "Basic ", 6) == 0;
    struct iv_str sent = iv_str_of(bearer ? header + 7 : basic ? header + 6 : "");
    if (bearer && strncmp(sent.p, IV_TOKEN_PREFIX, strlen(IV_TOKEN_PREFIX)) == 0) {
        iv_known_by_token(who, console, sent);
    }
    if ((bearer && iv_token_file_is(console, sent)) || (basic && iv_token_file_is_basic(console, sent))) {
        is_known(who, "token", IV_VIA_TOKEN, 1u << IV_ROLE_OF_ADMIN);
        who->ambient = basic;
    }
}

/* A user of the certificate's name; else whoever has one may read, unless the configured token is asked for
 * besides. */
static void look_at_certificate(struct iv_who *who, struct iv_request *request)
{
    struct iv_console *console = request->console;
    char name[IV_WHO_NAME_BYTES];
    struct iv_user user;
    struct iv_err err;
    if (!iv_tls_peer_name(name, sizeof name, request->connection)) {
        return;
    }
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_reader_user(reader, &user, iv_str_of(name), &err);
    iv_readers_return(console->readers, reader);
    if (iv_ok(rc)) {
        is_known(who, user.name, IV_VIA_CERTIFICATE, iv_roles_read(iv_str_of(user.roles)));
    } else if (rc.code == IV_E_ABSENT && console->token_n == 0) {
        is_known(who, name, IV_VIA_CERTIFICATE, 1u << IV_ROLE_OF_VIEWER);
    }
    who->ambient = true;
}

/* What is sent on purpose counts before what a browser brings along; and if it is wrong, nothing else does.
 */
static void find_out(struct iv_who *who, struct iv_request *request)
{
    struct iv_console *console = request->console;
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization");
    const char *cookie =
        MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, iv_known_cookie(console));
    if (header != NULL && !console->open) {
        look_at_credentials(who, console, header);
        return;
    }
    if (cookie != NULL) {
        iv_known_by_session(who, console, iv_str_of(cookie));
    }
    if (who->via == IV_VIA_NOTHING && console->client_ca.n > 0) {
        look_at_certificate(who, request);
    }
    if (who->via == IV_VIA_NOTHING && console->open) {
        is_known(who, "demo", IV_VIA_DEMO, IV_ROLES_ALL);
        who->ambient = true;
    }
}

/* A browser that is offered Basic asks its user by itself, which the page's own log-in is better at: so that
 * is offered only to who has never logged in, where the token is all there is. */
static const char *challenge_of(struct iv_request *request)
{
    const char *cookie =
        MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, iv_known_cookie(request->console));
    bool basic = request->console->token_n > 0 && cookie == NULL && !request->is_session;
    return basic ? "Basic realm=\"Invigil\", charset=\"UTF-8\"" : "Bearer realm=\"Invigil\"";
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
    find_out(&request->who, request);
    return may(request, reply, need) && is_wanted(request, reply);
}
