/* SPDX-License-Identifier: Apache-2.0 */
#include "console/auth.h"

#include "base/guard.h"
#include "console/origin.h"
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

static void look_at_credentials(struct iv_who *who, const struct iv_console *console, const char *header)
{
    bool bearer = strncasecmp(header, "Bearer ", 7) == 0;
    bool basic = strncasecmp(header, "Basic ", 6) == 0;
    if ((bearer && iv_token_file_is(console, iv_str_of(header + 7))) ||
        (basic && iv_token_file_is_basic(console, iv_str_of(header + 6)))) {
        is_known(who, "token", IV_VIA_TOKEN, 1u << IV_ROLE_OF_ADMIN);
        who->ambient = basic;
    }
}

/* Whoever has a certificate may read, unless the configured token is asked for besides. */
static void look_at_certificate(struct iv_who *who, struct iv_request *request)
{
    char name[IV_WHO_NAME_BYTES];
    if (request->console->token_n == 0 && iv_tls_peer_name(name, sizeof name, request->connection)) {
        is_known(who, name, IV_VIA_CERTIFICATE, 1u << IV_ROLE_OF_VIEWER);
        who->ambient = true;
    }
}

/* What is sent on purpose counts before what a browser brings along; and if it is wrong, nothing else does.
 */
static void find_out(struct iv_who *who, struct iv_request *request)
{
    const struct iv_console *console = request->console;
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization");
    if (console->open) {
        is_known(who, "demo", IV_VIA_DEMO, IV_ROLES_ALL);
        who->ambient = true;
    } else if (header != NULL) {
        look_at_credentials(who, console, header);
    } else if (console->client_ca.n > 0) {
        look_at_certificate(who, request);
    }
}

static bool may(const struct iv_who *who, struct iv_reply *reply, enum iv_need need)
{
    if (need == IV_NEED_GUEST) {
        return true;
    }
    if (who->via == IV_VIA_NOTHING) {
        iv_reply_problem(
            reply, MHD_HTTP_UNAUTHORIZED,
            "send the console's token: Authorization: Bearer TOKEN, or as the password of Basic");
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
    return may(&request->who, reply, need) && is_wanted(request, reply);
}
