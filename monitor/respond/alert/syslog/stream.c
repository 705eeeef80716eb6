/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/syslog/stream.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <poll.h>
#include <stdio.h>

#define CONNECT_TIMEOUT (10 * IV_NS_PER_S)
#define SEND_TIMEOUT_MS 5000
#define OBJECTION_MS 250
#define URL_MAX_BYTES 512

struct iv_syslog_stream {
    struct iv_syslog_stream_options options;
    CURL *handle; /* connected; NULL: not */
    char url[URL_MAX_BYTES];
};

iv_rc iv_syslog_stream_new(struct iv_syslog_stream **out, const struct iv_syslog_stream_options *options,
                           struct iv_err *err)
{
    struct iv_syslog_stream *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate a connection");
    s->options = *options;
    (void)snprintf(s->url, sizeof s->url, "%s://" IV_STR_FMT, options->tls ? "https" : "http",
                   IV_STR_ARG(options->address));
    *out = s;
    return IV_OK;
}

static void hang_up(struct iv_syslog_stream *s)
{
    if (s->handle != NULL) {
        iv_wire_drop(s->options.wire, s->handle);
        curl_easy_cleanup(s->handle);
        s->handle = NULL;
    }
}

void iv_syslog_stream_free(struct iv_syslog_stream *stream)
{
    if (stream != NULL) {
        hang_up(stream);
        iv_free(stream);
    }
}

static bool set_options(CURL *e, const struct iv_syslog_stream *s)
{
    const struct iv_syslog_stream_options *o = &s->options;
    bool ok = curl_easy_setopt(e, CURLOPT_URL, s->url) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK;
    if (ok && o->certificate.n > 0) {
        ok = curl_easy_setopt(e, CURLOPT_SSLCERT, o->certificate.p) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_SSLKEY, o->key.p) == CURLE_OK;
    }
    return ok;
}

static iv_rc call(struct iv_syslog_stream *s, CURLcode *code, struct iv_err *err)
{
    IV_AUTO(iv_wire_handle_freep) CURL *e = NULL;
    TRY(iv_wire_handle(&e, s->options.ca_file, CONNECT_TIMEOUT, err));
    ENSURE(set_options(e, s), err, IV_E_STATE, "libcurl refuses the settings of a connection");
    *code = iv_wire_perform(s->options.wire, e, true);
    if (*code == CURLE_OK) {
        s->handle = TAKE(e);
    }
    return IV_OK;
}

/* Whether the other side has ended the connection, waiting so long for it to say so. */
static bool is_gone(CURL *e, int wait_ms)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    char bytes[256];
    if (curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD) {
        return true;
    }
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, wait_ms) <= 0) {
        return false;
    }
    size_t n = 0;
    CURLcode code = curl_easy_recv(e, bytes, sizeof bytes, &n);
    return code != CURLE_AGAIN && (code != CURLE_OK || n == 0);
}

static CURLcode send_all(CURL *e, struct iv_str bytes)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    (void)curl_easy_getinfo(e, CURLINFO_ACTIVESOCKET, &fd);
    while (bytes.n > 0) {
        size_t n = 0;
        CURLcode code = curl_easy_send(e, bytes.p, bytes.n, &n);
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        if (code == CURLE_AGAIN && poll(&writable, 1, SEND_TIMEOUT_MS) > 0) {
            continue;
        }
        if (code != CURLE_OK) {
            return code;
        }
        bytes.p += n;
        bytes.n -= n;
    }
    return CURLE_OK;
}

iv_rc iv_syslog_stream_send(struct iv_syslog_stream *s, bool *taken, struct iv_str bytes, char *why,
                            size_t why_size, struct iv_err *err)
{
    CURLcode code = CURLE_OK;
    *taken = false;
    if (s->handle != NULL && is_gone(s->handle, 0)) {
        hang_up(s);
    }
    if (s->handle == NULL) {
        TRY(call(s, &code, err));
    }
    if (code == CURLE_OK) {
        code = send_all(s->handle, bytes);
    }
    if (code != CURLE_OK) {
        (void)snprintf(why, why_size, "%s", curl_easy_strerror(code));
        hang_up(s);
        return IV_OK;
    }
    if (is_gone(s->handle, OBJECTION_MS)) {
        (void)snprintf(why, why_size, "it ended the connection");
        hang_up(s);
        return IV_OK;
    }
    *taken = true;
    return IV_OK;
}
