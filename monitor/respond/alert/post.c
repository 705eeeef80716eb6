/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/post.h"

#include "base/guard.h"
#include "respond/alert/wire.h"
#include "respond/endpoint.h"
#include "respond/http/signature.h"

#define ANSWER_MAX_BYTES (4u << 10)
#define HEADER_MAX_BYTES 512u
#define RETRY_AFTER_MAX_S 3600

iv_rc iv_post_check(const struct iv_alert_sink *sink, struct iv_str url, struct iv_err *err)
{
    const struct iv_endpoint endpoint = {
        .name = sink->name, .url = url, .allow_http = sink->values[IV_POST_ALLOW_HTTP].yes};
    return iv_endpoint_check(&endpoint, err);
}

/* The beginning of an answer; more of it is read past. */
static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct iv_buf *answer = ctx;
    size_t n = size * count;
    size_t room = ANSWER_MAX_BYTES - answer->n;
    iv_buf_add(answer, bytes, n < room ? n : room);
    return n > room ? CURL_WRITEFUNC_ERROR : n;
}

struct headers {
    struct curl_slist *list;
    bool failed;
};

static void headers_deinit(struct headers *h)
{
    curl_slist_free_all(h->list);
}

static void add(struct headers *h, const char *format, const char *value)
{
    char line[HEADER_MAX_BYTES];
    struct iv_buf text;
    iv_buf_init_lent(&text, line, sizeof line, sizeof line - 1);
    iv_buf_text(&text, format);
    iv_buf_text(&text, value);
    struct curl_slist *more = iv_buf_failed(&text) ? NULL : curl_slist_append(h->list, line);
    h->failed = h->failed || more == NULL;
    h->list = more == NULL ? h->list : more;
}

static iv_rc sign(struct headers *h, const struct iv_sink_tools *tools, const struct iv_post *post,
                  struct iv_err *err)
{
    struct iv_signature *signature = NULL;
    char text[IV_SIGNATURE_TEXT_BYTES];
    if (post->hmac_key.p == NULL) {
        return IV_OK;
    }
    TRY(iv_signature_new(&signature, err));
    iv_signature_make(text, signature, post->hmac_key, iv_wall(&tools->clock), post->body);
    iv_signature_free(signature);
    add(h, "Invigil-Signature: ", text);
    return IV_OK;
}

static bool set_options(CURL *e, const struct iv_post *post, const struct headers *h, struct iv_buf *answer)
{
    bool ok = curl_easy_setopt(e, CURLOPT_URL, post->url.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_USERAGENT, "invigil") == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.n) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_POSTFIELDS, post->body.p) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_HTTPHEADER, h->list) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    return ok && curl_easy_setopt(e, CURLOPT_WRITEDATA, answer) == CURLE_OK;
}

static void judge(struct iv_delivery *out, struct iv_str name, long status, curl_off_t retry_after)
{
    if (status >= 200 && status < 300) {
        out->kind = IV_DELIVERY_TOLD;
    } else if (status == 400 || status == 413 || status == 422) {
        iv_delivery_refused(out, "sink '" IV_STR_FMT "' answered %ld", IV_STR_ARG(name), status);
    } else {
        bool redirect = status >= 300 && status < 400;
        iv_delivery_again(out, "sink '" IV_STR_FMT "' answered %ld%s", IV_STR_ARG(name), status,
                          redirect ? ", a redirect, which is not followed" : "");
        curl_off_t s = retry_after < RETRY_AFTER_MAX_S ? retry_after : RETRY_AFTER_MAX_S;
        out->retry_after = s > 0 ? (iv_ns)s * IV_NS_PER_S : 0;
    }
}

iv_rc iv_post(struct iv_delivery *out, struct iv_post_answer *answer, struct iv_buf *scratch,
              const struct iv_sink_tools *tools, const struct iv_post *post, struct iv_err *err)
{
    IV_AUTO(headers_deinit) struct headers headers = {NULL, false};
    IV_AUTO(iv_wire_handle_freep) CURL *e = NULL;
    struct iv_str ca_file = tools->sink->values[IV_POST_CA_FILE].text;
    long status = 0;
    curl_off_t retry_after = 0;
    *out = (struct iv_delivery){.kind = IV_DELIVERY_AGAIN};
    iv_buf_clear(scratch);
    add(&headers, "Content-Type: application/json", "");
    add(&headers, "Expect:", "");
    if (post->key.p != NULL) {
        add(&headers, "Idempotency-Key: ", post->key.p);
    }
    TRY(sign(&headers, tools, post, err));
    ENSURE(!headers.failed, err, IV_E_NOMEM, "no memory left for the headers of a notice");
    TRY(iv_wire_handle(&e, ca_file, IV_POST_TIMEOUT, err));
    ENSURE(set_options(e, post, &headers, scratch), err, IV_E_STATE,
           "libcurl refuses the settings of a notice to sink '" IV_STR_FMT "'",
           IV_STR_ARG(tools->sink->name));
    CURLcode code = iv_wire_perform(tools->wire, e, false);
    (void)curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(e, CURLINFO_RETRY_AFTER, &retry_after);
    bool came = code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0);
    if (came) {
        judge(out, tools->sink->name, status, retry_after);
    } else {
        iv_delivery_again(out, "no answer from sink '" IV_STR_FMT "': %s", IV_STR_ARG(tools->sink->name),
                          curl_easy_strerror(code));
    }
    if (answer != NULL) {
        *answer = (struct iv_post_answer){.status = came ? (int)status : 0, .body = iv_buf_slice(scratch)};
    }
    return IV_OK;
}
