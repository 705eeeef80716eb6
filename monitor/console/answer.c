/* SPDX-License-Identifier: Apache-2.0 */
#include "console/answer.h"

#include "base/guard.h"
#include "console/auth.h"
#include "console/peer.h"
#include "console/query.h"

#include <stdio.h>
#include <strings.h>

static const struct route {
    struct iv_str path;
    struct iv_str parameters;
    void (*answer)(struct iv_reply *reply, struct iv_request *request);
    bool open;
} routes[] = {
#define ROUTE(name, path, open, parameters)                                                                  \
    {IV_STR_INIT(path), IV_STR_INIT(parameters), iv_answer_##name, open},
#include "console/routes.def"
#undef ROUTE
};

/* A body of a reply is bounded by what a page of the API can hold: 500 findings with their OCSF text. */
enum { BODY_BYTES_MAX = 32 << 20 };

static bool starts_with(struct iv_str text, struct iv_str head)
{
    return text.n >= head.n && memcmp(text.p, head.p, head.n) == 0;
}

/* variable is what stands for the {…} at the pattern's end: one segment, not empty. */
static bool path_matches(struct iv_str pattern, struct iv_str path, struct iv_str *variable)
{
    const char *brace = memchr(pattern.p, '{', pattern.n);
    if (brace == NULL) {
        return iv_str_eq(pattern, path);
    }
    struct iv_str head = {pattern.p, (size_t)(brace - pattern.p)};
    if (!starts_with(path, head) || path.n == head.n) {
        return false;
    }
    struct iv_str rest = {path.p + head.n, path.n - head.n};
    if (memchr(rest.p, '/', rest.n) != NULL) {
        return false;
    }
    *variable = rest;
    return true;
}

static const struct route *route_of(struct iv_str path, struct iv_str *variable)
{
    for (size_t i = 0; i < IV_COUNT(routes); i++) {
        if (path_matches(routes[i].path, path, variable)) {
            return &routes[i];
        }
    }
    return NULL;
}

struct framing {
    bool body;
    bool length_seen;
};

static enum MHD_Result look_for_body(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct framing *f = ctx;
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        f->body = true;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        f->body |= f->length_seen || value == NULL || strcmp(value, "0") != 0;
        f->length_seen = true;
    }
    return f->body ? MHD_NO : MHD_YES;
}

/* Nothing that is served here takes a body. Whoever announces one, or several lengths that a gateway in
 * between may have read otherwise, is answered and cut off: the bytes that follow are never taken for a
 * request. */
static bool announces_body(struct MHD_Connection *connection)
{
    struct framing f = {false, false};
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_for_body, &f);
    return f.body;
}

static void count(struct iv_console *console, const struct route *route, unsigned status)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", status);
    iv_series_add(IV_SERIES(console->metrics, HTTP_REQUESTS, route == NULL ? IV_STR("page") : route->path,
                            iv_str_of(text)),
                  1);
}

/* A process that is no console has no page and no API, but its instruments can be read. */
static bool is_served(const struct iv_console *console, const struct route *route)
{
    return !console->instruments || (route != NULL && !starts_with(route->path, IV_STR("/api/")));
}

/* Everything up to the handler: method, body, who asks, what for. */
static void answer_into(struct iv_reply *reply, struct iv_request *request, const struct route *route,
                        struct iv_str path, const char *method)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        reply->allow = "GET, HEAD";
        iv_reply_problem(reply, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are served");
    } else if (reply->close) {
        iv_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, "no path here takes a body");
    } else if (!iv_auth_allows(request, reply, route != NULL && route->open)) {
        return;
    } else if (!is_served(request->console, route)) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND,
                         "this process is no console: it shows health and metrics");
    } else if (route != NULL) {
        if (iv_query_read(request, reply, route->parameters)) {
            route->answer(reply, request);
        }
    } else if (!iv_answer_file(reply, request, path)) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    }
}

enum MHD_Result iv_answer(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                          const char *version, const char *body, size_t *body_n, void **slot)
{
    (void)version;
    (void)body;
    static char waited; /* marks that the head was seen: without a body the reply waits for the second call */
    struct iv_console *console = ctx;
    bool has_body = announces_body(connection);
    if (*slot == NULL && !has_body) {
        *slot = &waited;
        return MHD_YES;
    }
    *body_n = 0;
    struct iv_request request = {
        .console = console, .connection = connection, .head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0};
    struct iv_reply reply = {.close = has_body};
    iv_buf_init(&reply.body, BODY_BYTES_MAX);
    const struct route *route = route_of(iv_str_of(path), &request.variable);
    iv_peer_enter(console, connection, IV_PEER_ANSWER);
    answer_into(&reply, &request, route, iv_str_of(path), method);
    enum MHD_Result sent = iv_reply_send(&reply, &request);
    count(console, route, reply.status);
    return sent;
}

void iv_answer_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode how)
{
    (void)how;
    *slot = NULL;
    iv_peer_enter(ctx, connection, IV_PEER_BETWEEN);
}
