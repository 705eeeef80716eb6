/* SPDX-License-Identifier: Apache-2.0 */
#include "console/answer.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "console/auth.h"
#include "console/body.h"
#include "console/framing.h"
#include "console/peer.h"
#include "console/query.h"

#include <stdio.h>

static const struct route {
    const char *method;
    struct iv_str path;
    struct iv_str parameters;
    void (*answer)(struct iv_reply *reply, struct iv_request *request);
    enum iv_need need;
} routes[] = {
#define ROUTE(name, method, path, needs, parameters)                                                         \
    {method, IV_STR_INIT(path), IV_STR_INIT(parameters), iv_answer_##name, IV_NEED_##needs},
#include "console/routes.def"
#undef ROUTE
};

/* A reply's body is bounded by what a page of the API can hold: 500 executions with their steps. */
enum { BODY_BYTES_MAX = 16 << 20 };
/* What a request's body comes to when it is read. */
enum { MEMORY_BYTES_MAX = 1 << 20 };

static bool starts_with(struct iv_str text, struct iv_str head)
{
    return text.n >= head.n && memcmp(text.p, head.p, head.n) == 0;
}

/* variable is what stands for the {…} of the pattern: one segment, not empty. */
static bool path_matches(struct iv_str pattern, struct iv_str path, struct iv_str *variable)
{
    const char *open = memchr(pattern.p, '{', pattern.n);
    if (open == NULL) {
        return iv_str_eq(pattern, path);
    }
    struct iv_str head = {pattern.p, (size_t)(open - pattern.p)};
    const char *close = memchr(open, '}', pattern.n - head.n);
    struct iv_str tail = {close + 1, (size_t)(pattern.p + pattern.n - close - 1)};
    if (!starts_with(path, head) || path.n <= head.n + tail.n ||
        memcmp(path.p + path.n - tail.n, tail.p, tail.n) != 0) {
        return false;
    }
    struct iv_str middle = {path.p + head.n, path.n - head.n - tail.n};
    if (memchr(middle.p, '/', middle.n) != NULL) {
        return false;
    }
    *variable = middle;
    return true;
}

/* Of a path's routes the one for the method; *allow lists what the path is served to, and is empty for a path
 * that there is not. */
static const struct route *route_of(char allow[64], struct iv_str path, const char *method,
                                    struct iv_str *variable)
{
    const struct route *found = NULL;
    allow[0] = '\0';
    for (size_t i = 0; i < IV_COUNT(routes); i++) {
        if (!path_matches(routes[i].path, path, variable)) {
            continue;
        }
        if (strcmp(routes[i].method, method) == 0) {
            found = &routes[i];
        }
        size_t n = strlen(allow);
        (void)snprintf(allow + n, 64 - n, "%s%s%s", n == 0 ? "" : ", ", routes[i].method,
                       strcmp(routes[i].method, MHD_HTTP_METHOD_GET) == 0 ? ", HEAD" : "");
    }
    return found;
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

/* A request while it is read and answered: what the HTTP library keeps for us. */
struct exchange {
    struct iv_request request;
    struct iv_reply reply;
    struct iv_buf body;
    const struct route *route;
    bool refused; /* the head says all: the reply is made */
};

static void exchange_free(struct exchange *x)
{
    iv_buf_wipe(&x->body);
    iv_buf_wipe(&x->reply.body);
    iv_arena_wipe(&x->request.memory);
    explicit_bzero(x, sizeof *x);
    iv_free(x);
}

static struct exchange *exchange_new(struct iv_console *console, struct MHD_Connection *connection,
                                     const char *path, const char *method)
{
    struct exchange *x = iv_calloc(1, sizeof *x);
    if (x == NULL) {
        return NULL;
    }
    bool head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    x->request = (struct iv_request){.console = console,
                                     .connection = connection,
                                     .method = head ? MHD_HTTP_METHOD_GET : method,
                                     .head = head};
    iv_arena_init(&x->request.memory, MEMORY_BYTES_MAX);
    iv_buf_init(&x->body, IV_BODY_BYTES_MAX);
    iv_buf_init(&x->reply.body, BODY_BYTES_MAX);
    x->route = route_of(x->reply.allow, iv_str_of(path), x->request.method, &x->request.variable);
    return x;
}

/* All that can be said of a request before its body: method, framing, who asks. */
static bool admits(struct exchange *x, enum iv_framing framing)
{
    struct iv_request *request = &x->request;
    bool get = strcmp(request->method, MHD_HTTP_METHOD_GET) == 0;
    if (x->route == NULL && !(get && x->reply.allow[0] == '\0')) {
        if (x->reply.allow[0] == '\0') {
            (void)snprintf(x->reply.allow, sizeof x->reply.allow, "GET, HEAD");
        }
        iv_reply_problem(&x->reply, MHD_HTTP_METHOD_NOT_ALLOWED, "here is served: %s", x->reply.allow);
        return false;
    }
    x->reply.allow[0] = '\0';
    bool takes_body = strcmp(request->method, MHD_HTTP_METHOD_POST) == 0;
    if (!iv_framing_admits(&x->reply, request->connection, framing, takes_body)) {
        return false;
    }
    if (!iv_auth_admits(request, &x->reply, x->route == NULL ? IV_NEED_GUEST : x->route->need)) {
        return false;
    }
    if (!is_served(request->console, x->route)) {
        iv_reply_problem(&x->reply, MHD_HTTP_NOT_FOUND,
                         "this process is no console: it shows health and metrics");
        return false;
    }
    return true;
}

static void answer_into(struct exchange *x, struct iv_str path)
{
    struct iv_reply *reply = &x->reply;
    if (iv_buf_failed(&x->body)) {
        iv_reply_problem(reply, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most %d bytes", IV_BODY_BYTES_MAX);
    } else if (x->route != NULL) {
        x->request.body = iv_buf_slice(&x->body);
        if (iv_query_read(&x->request, reply, x->route->parameters)) {
            x->route->answer(reply, &x->request);
        }
    } else if (!iv_answer_file(reply, &x->request, path)) {
        iv_reply_problem(reply, MHD_HTTP_NOT_FOUND, "there is nothing at this path");
    }
}

static enum MHD_Result send_reply(struct exchange *x)
{
    enum MHD_Result sent = iv_reply_send(&x->reply, &x->request);
    count(x->request.console, x->route, x->reply.status);
    return sent;
}

/* The library calls once with the head, then for each part of a body, then to be answered. Whoever announces
 * a body that is not taken is answered at once and cut off: the bytes that follow are never taken for a
 * request. Without a body the reply waits for the second call, which keeps the connection. */
static enum MHD_Result begin(struct iv_console *console, struct MHD_Connection *connection, const char *path,
                             const char *method, void **slot)
{
    enum iv_framing framing = iv_framing_of(connection);
    struct exchange *x = exchange_new(console, connection, path, method);
    if (x == NULL) {
        return MHD_NO;
    }
    *slot = x;
    x->refused = !admits(x, framing);
    if (framing == IV_FRAMING_EMPTY) {
        return MHD_YES;
    }
    iv_peer_enter(console, connection, x->refused ? IV_PEER_ANSWER : IV_PEER_BODY);
    x->reply.close = x->refused;
    return x->refused ? send_reply(x) : MHD_YES;
}

enum MHD_Result iv_answer(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                          const char *version, const char *body, size_t *body_n, void **slot)
{
    (void)version;
    struct iv_console *console = ctx;
    struct exchange *x = *slot;
    if (x == NULL) {
        return begin(console, connection, path, method, slot);
    }
    if (*body_n > 0) {
        iv_buf_add(&x->body, body, *body_n);
        *body_n = 0;
        return MHD_YES;
    }
    iv_peer_enter(console, connection, IV_PEER_ANSWER);
    if (!x->refused) {
        answer_into(x, iv_str_of(path));
    }
    return send_reply(x);
}

void iv_answer_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode how)
{
    (void)how;
    if (*slot != NULL) {
        exchange_free(*slot);
        *slot = NULL;
    }
    iv_peer_enter(ctx, connection, IV_PEER_BETWEEN);
}
