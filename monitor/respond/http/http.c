/* SPDX-License-Identifier: Apache-2.0 */
/* The action "http": libcurl's multi interface, so that one thread has many calls in flight. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "respond/action.h"
#include "respond/http/answer.h"
#include "respond/http/signature.h"

#include <curl/curl.h>
#include <string.h>

#define BODY_MAX_BYTES (1u << 20)
#define URL_MAX_BYTES (16u << 10)
#define HEADER_MAX_BYTES (16u << 10)
#define WAIT_MAX_MS 60000

struct http {
    CURLM *multi;
    struct iv_signature *signature;
};

struct transfer {
    struct iv_call *call;
    CURL *easy;
    struct curl_slist *headers;
    struct iv_buf url;
    struct iv_buf body;
    struct iv_buf answer;
    bool enough; /* more of an answer came than is read; its status is known */
    char error[CURL_ERROR_SIZE];
};

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The endpoint's name in the daemon's configuration."},
    {"path", IV_PARAMETER_PATH, true, "What follows the endpoint's url."},
    {"headers", IV_PARAMETER_HEADERS, false, "Further headers."},
    {"body", IV_PARAMETER_JSON, false, "The body: any JSON. Without it the body is empty."},
};

static void transfer_free(struct transfer *t)
{
    if (t == NULL) {
        return;
    }
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    iv_buf_deinit(&t->url);
    iv_buf_deinit(&t->body);
    iv_buf_deinit(&t->answer);
    iv_free(t);
}

static void transfer_freep(struct transfer **t)
{
    transfer_free(*t);
}

static void http_close(void *driver)
{
    struct http *http = driver;
    if (http != NULL) {
        (void)curl_multi_cleanup(http->multi);
        iv_signature_free(http->signature);
        iv_free(http);
    }
}

static void http_closep(struct http **http)
{
    http_close(*http);
}

static iv_rc http_open(void **driver, struct iv_err *err)
{
    IV_AUTO(http_closep) struct http *http = iv_calloc(1, sizeof *http);
    ENSURE(http != NULL, err, IV_E_NOMEM, "cannot allocate the HTTP client");
    ENSURE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, err, IV_E_STATE,
           "the HTTP client does not start");
    http->multi = curl_multi_init();
    ENSURE(http->multi != NULL, err, IV_E_NOMEM, "cannot allocate the HTTP client");
    TRY(iv_signature_new(&http->signature, err));
    *driver = TAKE(http);
    return IV_OK;
}

/* Keeps the beginning of an answer and stops reading when it is too long: the status has come before it. */
static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t n = size * count;
    size_t room = IV_ANSWER_READ_BYTES - t->answer.n;
    iv_buf_add(&t->answer, bytes, n < room ? n : room);
    if (n > room) {
        t->enough = true;
        return CURL_WRITEFUNC_ERROR;
    }
    return n;
}

static iv_rc add_line(struct transfer *t, const char *line, struct iv_err *err)
{
    struct curl_slist *more = curl_slist_append(t->headers, line);
    ENSURE(more != NULL, err, IV_E_NOMEM, "no memory left for the headers of a call");
    t->headers = more;
    return IV_OK;
}

static iv_rc add_header(struct transfer *t, struct iv_str name, struct iv_str value, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf line;
    iv_buf_init(&line, HEADER_MAX_BYTES);
    iv_buf_str(&line, name);
    /* libcurl leaves a header without a value out unless it ends in a semicolon. */
    iv_buf_text(&line, value.n == 0 ? ";" : ": ");
    iv_buf_str(&line, value);
    TRY(iv_buf_check(&line, "a header", err));
    return add_line(t, line.p, err);
}

static iv_rc add_given_headers(struct transfer *t, const struct iv_val *headers, struct iv_err *err)
{
    for (uint32_t i = 0; headers != NULL && headers->kind == IV_KIND_MAP && i < headers->n; i++) {
        const struct iv_val *pair = &headers->items[2 * (size_t)i];
        ENSURE(pair[0].kind == IV_KIND_STRING && pair[1].kind == IV_KIND_STRING, err, IV_E_STORE,
               "a header of the stored request is no text");
        TRY(add_header(t, iv_val_slice(pair[0]), iv_val_slice(pair[1]), err));
    }
    return IV_OK;
}

static iv_rc write_body(struct transfer *t, struct iv_err *err)
{
    const struct iv_val *body = iv_request_get(&t->call->request, "body");
    if (body == NULL) {
        return IV_OK;
    }
    iv_val_json(&t->body, body);
    TRY(iv_buf_check(&t->body, "the body of a call", err));
    return add_header(t, IV_STR("Content-Type"), IV_STR("application/json"), err);
}

static iv_rc write_request(struct http *http, struct transfer *t, struct iv_err *err)
{
    struct iv_call *call = t->call;
    struct iv_str base = call->endpoint->url;
    while (base.n > 0 && base.p[base.n - 1] == '/') {
        base.n--;
    }
    iv_buf_str(&t->url, base);
    iv_buf_str(&t->url, iv_request_text(&call->request, "path"));
    TRY(iv_buf_check(&t->url, "the address of a call", err));
    TRY(write_body(t, err));
    /* No waiting for "100 Continue": a hook that does not know it would cost a second each time. */
    TRY(add_line(t, "Expect:", err));
    TRY(add_header(t, IV_STR("Idempotency-Key"), call->task.step.key, err));
    TRY(add_given_headers(t, iv_request_get(&call->request, "headers"), err));
    if (call->endpoint->hmac_key.p == NULL) {
        return IV_OK;
    }
    char signature[IV_SIGNATURE_TEXT_BYTES];
    iv_signature_make(signature, http->signature, call->endpoint->hmac_key, call->now,
                      iv_buf_slice(&t->body));
    return add_header(t, IV_STR("Invigil-Signature"), iv_str_of(signature), err);
}

/* Every option that bounds or secures a transfer must take, or the call is not made. */
static bool set_options(struct transfer *t)
{
    CURL *e = t->easy;
    const struct iv_call *call = t->call;
    long timeout_ms = (long)(call->task.step.timeout / IV_NS_PER_MS);
    bool ok = curl_easy_setopt(e, CURLOPT_URL, t->url.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_USERAGENT, "invigil") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.n) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->body.n == 0 ? "" : t->body.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_WRITEDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PRIVATE, t) == CURLE_OK;
    if (ok && call->endpoint->ca_file.n > 0) {
        ok = curl_easy_setopt(e, CURLOPT_CAINFO, call->endpoint->ca_file.p) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    }
    return ok;
}

static iv_rc http_start(void *driver, struct iv_call *call, struct iv_err *err)
{
    struct http *http = driver;
    IV_AUTO(transfer_freep) struct transfer *t = iv_calloc(1, sizeof *t);
    ENSURE(t != NULL, err, IV_E_NOMEM, "cannot allocate an HTTP call");
    t->call = call;
    iv_buf_init(&t->url, URL_MAX_BYTES);
    iv_buf_init(&t->body, BODY_MAX_BYTES);
    iv_buf_init(&t->answer, IV_ANSWER_READ_BYTES);
    t->easy = curl_easy_init();
    ENSURE(t->easy != NULL, err, IV_E_NOMEM, "cannot allocate an HTTP call");
    TRY(write_request(http, t, err));
    ENSURE(set_options(t), err, IV_E_STATE,
           "the HTTP client refuses the settings of a call to endpoint '" IV_STR_FMT "'",
           IV_STR_ARG(call->endpoint->name));
    ENSURE(curl_multi_add_handle(http->multi, t->easy) == CURLM_OK, err, IV_E_NOMEM,
           "cannot begin an HTTP call");
    call->transfer = TAKE(t);
    return IV_OK;
}

static void http_abandon(void *driver, struct iv_call *call)
{
    struct http *http = driver;
    struct transfer *t = call->transfer;
    if (t != NULL) {
        (void)curl_multi_remove_handle(http->multi, t->easy);
        transfer_free(t);
        call->transfer = NULL;
    }
}

static void finish(struct http *http, struct transfer *t, CURLcode code)
{
    struct iv_call *call = t->call;
    long status = 0;
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (code == CURLE_OK || (t->enough && status != 0)) {
        iv_answer_judge(&call->outcome, call, (int)status, (int64_t)retry_after, iv_buf_slice(&t->answer));
    } else {
        const char *why = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
        bool hopeless = code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT;
        iv_answer_none(&call->outcome, call, hopeless, code == CURLE_OPERATION_TIMEDOUT, why);
    }
    http_abandon(http, call);
    call->finished = true;
}

static bool collect(struct http *http)
{
    bool any = false;
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(http->multi, &left); m != NULL;
         m = curl_multi_info_read(http->multi, &left)) {
        struct transfer *t = NULL;
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK) {
            finish(http, t, m->data.result);
            any = true;
        }
    }
    return any;
}

static iv_rc http_pump(void *driver, iv_ns wait, struct iv_err *err)
{
    struct http *http = driver;
    int running = 0;
    int64_t ms = wait / IV_NS_PER_MS;
    CURLMcode code = curl_multi_perform(http->multi, &running);
    if (code == CURLM_OK && !collect(http) && ms > 0) {
        code = curl_multi_poll(http->multi, NULL, 0, (int)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS), NULL);
        if (code == CURLM_OK) {
            code = curl_multi_perform(http->multi, &running);
            (void)collect(http);
        }
    }
    ENSURE(code == CURLM_OK, err, IV_E_STATE, "the HTTP client failed: %s", curl_multi_strerror(code));
    return IV_OK;
}

static void http_wake(void *driver)
{
    struct http *http = driver;
    (void)curl_multi_wakeup(http->multi);
}

const struct iv_action_kind iv_action_http = {
    .name = "http",
    .doc = "POSTs JSON to an endpoint, signed, with an idempotency key.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .open = http_open,
    .close = http_close,
    .start = http_start,
    .abandon = http_abandon,
    .pump = http_pump,
    .wake = http_wake,
};
