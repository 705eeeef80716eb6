/* SPDX-License-Identifier: Apache-2.0 */
#include "console/server.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/log.h"
#include "console/flight.h"

#include <stdarg.h>
#include <stdio.h>

enum { PROBLEM_BYTES_MAX = 4096, ETAG_BYTES = 16 };

static const struct {
    const char *name;
    const char *value;
} safety_headers[] = {
    {"Content-Security-Policy", "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
                                "frame-ancestors 'none'; require-trusted-types-for 'script'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"},
};

static const char *title_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *title;
    } titles[] = {
        {MHD_HTTP_BAD_REQUEST, "Bad request"},
        {MHD_HTTP_UNAUTHORIZED, "Authentication needed"},
        {MHD_HTTP_FORBIDDEN, "Forbidden"},
        {MHD_HTTP_NOT_FOUND, "Not found"},
        {MHD_HTTP_METHOD_NOT_ALLOWED, "Method not allowed"},
        {MHD_HTTP_CONFLICT, "Conflict"},
        {MHD_HTTP_LENGTH_REQUIRED, "Length required"},
        {MHD_HTTP_CONTENT_TOO_LARGE, "Content too large"},
        {MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"},
        {MHD_HTTP_MISDIRECTED_REQUEST, "Misdirected request"},
        {MHD_HTTP_TOO_MANY_REQUESTS, "Too many requests"},
        {MHD_HTTP_SERVICE_UNAVAILABLE, "Not available"},
    };
    for (size_t i = 0; i < IV_COUNT(titles); i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Internal error";
}

void iv_reply_problem(struct iv_reply *reply, unsigned status, const char *format, ...)
{
    char detail[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    size_t n = strlen(detail);
    while (n > 0 && !iv_utf8_valid((struct iv_str){detail, n})) {
        n--; /* cut inside a character, or a request's raw bytes were quoted */
    }
    iv_buf_wipe(&reply->body);
    iv_buf_init(&reply->body, PROBLEM_BYTES_MAX);
    struct iv_json j = iv_json_to(&reply->body);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "type", "about:blank");
    iv_json_text(&j, "title", title_of(status));
    iv_json_int(&j, "status", status);
    iv_json_str(&j, "detail", (struct iv_str){detail, n});
    iv_json_close_object(&j);
    reply->status = status;
    reply->type = "application/problem+json";
    reply->tagged = false;
    reply->cache_control = NULL;
}

void iv_reply_failure(struct iv_reply *reply, const struct iv_err *err)
{
    if (iv_code_class(err->code) == IV_CLASS_REJECT) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "%s", err->text);
        return;
    }
    LOG_ERROR("console.request.failed", KV_TEXT("why", err->text));
    if (iv_code_class(err->code) == IV_CLASS_RETRY) {
        reply->retry_after = 1;
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "the store is busy, try again");
    } else {
        iv_reply_problem(reply, MHD_HTTP_INTERNAL_SERVER_ERROR, "the monitor's log says why");
    }
}

/* A strong tag: the same bytes have the same tag on every run. False: no tag, which costs a client a
 * transfer. */
static bool make_tag(char tag[ETAG_BYTES * 2 + 3], struct iv_str body)
{
    struct iv_digester *d = NULL;
    if (!iv_ok(iv_digester_new(&d, NULL))) {
        return false;
    }
    struct iv_digest digest;
    iv_digest(d, &digest, IV_SHA256, body);
    iv_digester_free(d);
    char *p = tag;
    *p++ = '"';
    for (size_t i = 0; i < ETAG_BYTES; i++) {
        static const char digits[] = "0123456789abcdef";
        *p++ = digits[digest.bytes[i] >> 4];
        *p++ = digits[digest.bytes[i] & 15];
    }
    *p++ = '"';
    *p = '\0';
    return true;
}

/* If-None-Match is "*" or a list of tags, each perhaps marked as weak, which does not matter here. */
static bool tag_matches(struct iv_request *request, const char *tag)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "If-None-Match");
    return header != NULL && (strcmp(header, "*") == 0 || strstr(header, tag) != NULL);
}

static struct MHD_Response *body_response(struct iv_reply *reply, struct iv_request *request)
{
    if (reply->response != NULL) {
        return TAKE(reply->response);
    }
    if (reply->fixed.p != NULL) {
        return MHD_create_response_from_buffer_with_free_callback(reply->fixed.n,
                                                                  (void *)(uintptr_t)reply->fixed.p, NULL);
    }
    if (reply->body.n == 0) {
        return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *made = NULL;
    enum iv_flight_end end = iv_flight_response(&made, request, &reply->body);
    if (end != IV_FLIGHT_GOES) {
        bool his = end == IV_FLIGHT_NO_SHARE;
        reply->retry_after = 1;
        iv_reply_problem(reply, his ? MHD_HTTP_TOO_MANY_REQUESTS : MHD_HTTP_SERVICE_UNAVAILABLE,
                         "answers that were not taken yet hold all the memory that there is for %s",
                         his ? "those of one name" : "them");
        (void)iv_flight_response(&made, request, &reply->body);
    }
    return made;
}

static bool add_headers(struct MHD_Response *response, const struct iv_reply *reply, const char *tag,
                        bool tls)
{
    bool good = true;
    char retry_after[16];
    (void)snprintf(retry_after, sizeof retry_after, "%u", reply->retry_after);
    for (size_t i = 0; i < IV_COUNT(safety_headers); i++) {
        good &= MHD_add_response_header(response, safety_headers[i].name, safety_headers[i].value) == MHD_YES;
    }
    const struct {
        const char *name;
        const char *value;
    } own[] = {
        {"Content-Type", reply->status == MHD_HTTP_NOT_MODIFIED ? NULL : reply->type},
        {"Cache-Control", reply->cache_control == NULL ? "no-store" : reply->cache_control},
        {"Content-Encoding", reply->encoding},
        {"Vary", reply->fixed.p != NULL ? "Accept-Encoding" : NULL},
        {"ETag", tag},
        {"Allow", reply->allow[0] == '\0' ? NULL : reply->allow},
        {"Set-Cookie", reply->cookie[0] == '\0' ? NULL : reply->cookie},
        {"Retry-After", reply->retry_after == 0 ? NULL : retry_after},
        {"Connection", reply->close ? "close" : NULL},
        {"Strict-Transport-Security", tls ? "max-age=31536000" : NULL},
        {"WWW-Authenticate", reply->status != MHD_HTTP_UNAUTHORIZED ? NULL
                             : reply->challenge == NULL             ? "Bearer realm=\"Invigil\""
                                                                    : reply->challenge},
    };
    for (size_t i = 0; i < IV_COUNT(own); i++) {
        if (own[i].value != NULL) {
            good &= MHD_add_response_header(response, own[i].name, own[i].value) == MHD_YES;
        }
    }
    return good;
}

enum MHD_Result iv_reply_send(struct iv_reply *reply, struct iv_request *request)
{
    if (iv_buf_failed(&reply->body)) {
        iv_reply_problem(reply, MHD_HTTP_INTERNAL_SERVER_ERROR,
                         "the answer is larger than the monitor sends");
    }
    char made[ETAG_BYTES * 2 + 3] = "";
    const char *tag = reply->fixed_tag;
    if (reply->tagged && make_tag(made, iv_buf_slice(&reply->body))) {
        tag = made;
    }
    if (tag != NULL && tag_matches(request, tag)) {
        reply->status = MHD_HTTP_NOT_MODIFIED;
        iv_buf_clear(&reply->body);
        reply->fixed = (struct iv_str){NULL, 0};
        reply->encoding = NULL;
    }
    struct MHD_Response *response = body_response(reply, request);
    enum MHD_Result sent = MHD_NO;
    if (response != NULL) {
        /* Not of a problem that took the body's place. */
        tag = reply->tagged ? tag : reply->fixed_tag;
        if (add_headers(response, reply, tag, request->console->certificate.n > 0)) {
            sent = MHD_queue_response(request->connection, reply->status, response);
        }
        MHD_destroy_response(response);
    }
    iv_buf_wipe(&reply->body);
    return sent;
}
