/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface, so that one thread has many calls in flight. */
#include "respond/web/web.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/guard.h"
#include "respond/web/answer.h"
#include "respond/web/request.h"

#include <curl/curl.h>
#include <string.h>

#define WAIT_MAX_MS 60000
#define FILE_MAX_BYTES (1u << 20)
#define SAID_MAX_BYTES (IV_WEB_BODY_MAX_BYTES + 256)

struct iv_web {
    CURLM *multi;
    struct iv_signature *signature;
};

struct transfer {
    struct iv_call *call;
    const struct iv_action_kind *kind;
    struct iv_web_request request;
    struct iv_str place; /* for sentences: "endpoint 'hook'" */
    CURL *easy;
    struct curl_slist *headers;
    struct iv_web_wire wire;
    struct iv_buf answer;
    bool enough; /* more of an answer came than is read; its status is known */
    char error[CURL_ERROR_SIZE];
};

static void transfer_free(struct transfer *t)
{
    if (t == NULL) {
        return;
    }
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    iv_web_wire_deinit(&t->wire);
    iv_buf_deinit(&t->answer);
    iv_free(t);
}

static void transfer_freep(struct transfer **t)
{
    transfer_free(*t);
}

void iv_web_free(struct iv_web *web)
{
    if (web != NULL) {
        (void)curl_multi_cleanup(web->multi);
        iv_signature_free(web->signature);
        iv_free(web);
    }
}

void iv_web_freep(struct iv_web **web)
{
    iv_web_free(*web);
}

iv_rc iv_web_new(struct iv_web **out, struct iv_err *err)
{
    IV_AUTO(iv_web_freep) struct iv_web *web = iv_calloc(1, sizeof *web);
    ENSURE(web != NULL, err, IV_E_NOMEM, "cannot allocate the HTTP client");
    ENSURE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, err, IV_E_STATE,
           "the HTTP client does not start");
    web->multi = curl_multi_init();
    ENSURE(web->multi != NULL, err, IV_E_NOMEM, "cannot allocate the HTTP client");
    TRY(iv_signature_new(&web->signature, err));
    *out = TAKE(web);
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

static iv_rc list_headers(struct transfer *t, struct iv_err *err)
{
    const struct iv_buf *all = &t->wire.headers;
    for (const char *line = all->p; line < all->p + all->n; line += strlen(line) + 1) {
        struct curl_slist *more = curl_slist_append(t->headers, line);
        ENSURE(more != NULL, err, IV_E_NOMEM, "no memory left for the headers of a call");
        t->headers = more;
    }
    return IV_OK;
}

static bool set_method(struct transfer *t)
{
    CURL *e = t->easy;
    const struct iv_buf *body = &t->wire.body;
    bool ok = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDS, body->n == 0 ? "" : body->p) == CURLE_OK;
    return ok && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, t->request.method) == CURLE_OK;
}

static bool set_file(CURL *e, CURLoption option, struct iv_str path)
{
    return path.n == 0 || curl_easy_setopt(e, option, path.p) == CURLE_OK;
}

static bool set_place(struct transfer *t)
{
    CURL *e = t->easy;
    const struct iv_endpoint *endpoint = t->call->endpoint;
    bool ok = set_file(e, CURLOPT_SSLCERT, endpoint->certificate) &&
              set_file(e, CURLOPT_SSLKEY, endpoint->key) && set_file(e, CURLOPT_CAINFO, endpoint->ca_file);
    return ok && (endpoint->ca_file.n == 0 || curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

/* Every option that bounds or secures a transfer must take, or the call is not made. */
static bool set_options(struct transfer *t)
{
    CURL *e = t->easy;
    long timeout_ms = (long)(t->call->task.step.timeout / IV_NS_PER_MS);
    bool ok = curl_easy_setopt(e, CURLOPT_URL, t->wire.url.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
    /* A name that is still being looked for when time is up is left to its thread, and not waited for. */
    ok = ok && curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_USERAGENT, "invigil") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_WRITEDATA, t) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PRIVATE, t) == CURLE_OK;
    return ok && set_method(t) && set_place(t);
}

static iv_rc name_place(struct transfer *t, struct iv_err *err)
{
    struct iv_call *call = t->call;
    ENSURE(call->endpoint != NULL, err, IV_E_STORE, "the stored request names no endpoint");
    t->place = iv_arena_printf(&call->arena, "endpoint '" IV_STR_FMT "'", IV_STR_ARG(call->endpoint->name));
    ENSURE(t->place.p != NULL, err, IV_E_NOMEM, "cannot allocate an HTTP call");
    return IV_OK;
}

/* All of the call, up to its first byte. */
static iv_rc make_ready(struct iv_web *web, struct transfer *t, struct iv_err *err)
{
    TRY(name_place(t, err));
    TRY(t->kind->ask(&t->request, t->call, err));
    TRY(iv_web_wire_write(&t->wire, t->call, &t->request, web->signature, err));
    TRY(list_headers(t, err));
    t->easy = curl_easy_init();
    ENSURE(t->easy != NULL, err, IV_E_NOMEM, "cannot allocate an HTTP call");
    ENSURE(set_options(t), err, IV_E_STATE, "the HTTP client refuses the settings of a call to " IV_STR_FMT,
           IV_STR_ARG(t->place));
    return IV_OK;
}

static iv_rc transfer_new(struct transfer **out, struct iv_call *call, const struct iv_action_kind *kind,
                          struct iv_err *err)
{
    struct transfer *t = iv_calloc(1, sizeof *t);
    ENSURE(t != NULL, err, IV_E_NOMEM, "cannot allocate an HTTP call");
    t->call = call;
    t->kind = kind;
    iv_web_wire_init(&t->wire);
    iv_buf_init(&t->answer, IV_ANSWER_READ_BYTES);
    *out = t;
    return IV_OK;
}

iv_rc iv_web_send(struct iv_web *web, struct iv_call *call, const struct iv_action_kind *kind,
                  struct iv_err *err)
{
    IV_AUTO(transfer_freep) struct transfer *t = NULL;
    TRY(transfer_new(&t, call, kind, err));
    TRY(make_ready(web, t, err));
    ENSURE(curl_multi_add_handle(web->multi, t->easy) == CURLM_OK, err, IV_E_NOMEM,
           "cannot begin an HTTP call");
    call->transfer = TAKE(t);
    return IV_OK;
}

/* libcurl reads them when it connects. */
static iv_rc read_files(const struct iv_endpoint *endpoint, struct iv_err *err)
{
    const struct iv_str files[] = {endpoint->certificate, endpoint->key, endpoint->ca_file};
    for (size_t i = 0; i < IV_COUNT(files); i++) {
        IV_AUTO(iv_buf_wipe) struct iv_buf bytes;
        iv_buf_init(&bytes, FILE_MAX_BYTES);
        if (files[i].n > 0) {
            TRY(iv_file_read(&bytes, files[i], err));
        }
    }
    return IV_OK;
}

iv_rc iv_web_rehearse(struct iv_web *web, struct iv_str *said, struct iv_call *call,
                      const struct iv_action_kind *kind, struct iv_err *err)
{
    IV_AUTO(transfer_freep) struct transfer *t = NULL;
    TRY(transfer_new(&t, call, kind, err));
    TRY(make_ready(web, t, err));
    TRY(read_files(call->endpoint, err));
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, SAID_MAX_BYTES);
    iv_buf_printf(&text, "%s " IV_STR_FMT ", %zu bytes", t->request.method,
                  IV_STR_ARG(iv_buf_slice(&t->wire.url)), t->wire.body.n);
    TRY(iv_buf_check(&text, "what would be called", err));
    iv_web_wire_scrub(&t->wire, text.p, text.n);
    *said = iv_arena_str(&call->arena, iv_buf_slice(&text));
    ENSURE(said->p != NULL, err, IV_E_NOMEM, "cannot allocate what would be called");
    return IV_OK;
}

void iv_web_abandon(struct iv_web *web, struct iv_call *call)
{
    struct transfer *t = call->transfer;
    if (t != NULL) {
        (void)curl_multi_remove_handle(web->multi, t->easy);
        transfer_free(t);
        call->transfer = NULL;
    }
}

static void judge(struct transfer *t, int status, int64_t retry_after_s)
{
    struct iv_call *call = t->call;
    iv_web_wire_scrub(&t->wire, t->answer.p, t->answer.n);
    struct iv_web_answer answer = {status, iv_buf_slice(&t->answer)};
    iv_answer_judge(&call->outcome, call, t->place, status, retry_after_s, answer.body);
    if (t->kind->judge != NULL) {
        t->kind->judge(call, &answer);
    }
}

static void finish(struct iv_web *web, struct transfer *t, CURLcode code)
{
    struct iv_call *call = t->call;
    long status = 0;
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (code == CURLE_OK || (t->enough && status != 0)) {
        judge(t, (int)status, (int64_t)retry_after);
    } else {
        const char *why = t->error[0] != '\0' ? t->error : curl_easy_strerror(code);
        bool hopeless = code == CURLE_SSL_CACERT_BADFILE || code == CURLE_URL_MALFORMAT;
        iv_answer_none(&call->outcome, call, t->place, hopeless, code == CURLE_OPERATION_TIMEDOUT, why);
    }
    iv_web_abandon(web, call);
    call->finished = true;
}

static bool collect(struct iv_web *web)
{
    bool any = false;
    int left = 0;
    for (CURLMsg *m = curl_multi_info_read(web->multi, &left); m != NULL;
         m = curl_multi_info_read(web->multi, &left)) {
        struct transfer *t = NULL;
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK) {
            finish(web, t, m->data.result);
            any = true;
        }
    }
    return any;
}

iv_rc iv_web_pump(struct iv_web *web, int fd, iv_ns wait, struct iv_err *err)
{
    struct curl_waitfd other = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running = 0;
    int64_t ms = wait / IV_NS_PER_MS;
    CURLMcode code = curl_multi_perform(web->multi, &running);
    if (code == CURLM_OK && !collect(web) && ms > 0) {
        code = curl_multi_poll(web->multi, fd < 0 ? NULL : &other, fd < 0 ? 0 : 1,
                               (int)(ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS), NULL);
        if (code == CURLM_OK) {
            code = curl_multi_perform(web->multi, &running);
            (void)collect(web);
        }
    }
    ENSURE(code == CURLM_OK, err, IV_E_STATE, "the HTTP client failed: %s", curl_multi_strerror(code));
    return IV_OK;
}

void iv_web_wake(struct iv_web *web)
{
    (void)curl_multi_wakeup(web->multi);
}
