/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/web/request.h"

#include "base/buf.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/guard.h"
#include "respond/web/form.h"

#include <string.h>

#define URL_MAX_BYTES (16u << 10)
#define HEADERS_MAX_BYTES (128u << 10)
#define SECRET_MAX_BYTES (64u << 10)
#define SECRET_MIN_BYTES 6 /* shorter ones would take ordinary words out of an answer */

void iv_web_wire_init(struct iv_web_wire *wire)
{
    *wire = (struct iv_web_wire){.secret_count = 0};
    iv_buf_init(&wire->url, URL_MAX_BYTES);
    iv_buf_init(&wire->body, IV_WEB_BODY_MAX_BYTES);
    iv_buf_init(&wire->headers, HEADERS_MAX_BYTES);
    for (size_t i = 0; i < IV_WEB_SECRETS; i++) {
        iv_buf_init(&wire->secrets[i], SECRET_MAX_BYTES);
    }
}

void iv_web_wire_deinit(struct iv_web_wire *wire)
{
    iv_buf_wipe(&wire->url);
    iv_buf_wipe(&wire->body);
    iv_buf_wipe(&wire->headers);
    for (size_t i = 0; i < IV_WEB_SECRETS; i++) {
        iv_buf_wipe(&wire->secrets[i]);
    }
}

static struct iv_buf *next_secret(struct iv_web_wire *wire)
{
    IV_CHECK(wire->secret_count < IV_WEB_SECRETS);
    return &wire->secrets[wire->secret_count++];
}

static void add_header(struct iv_web_wire *wire, struct iv_str name, struct iv_str value)
{
    iv_buf_str(&wire->headers, name);
    /* libcurl leaves a header without a value out unless it ends in a semicolon. */
    iv_buf_text(&wire->headers, value.n == 0 ? ";" : ": ");
    iv_buf_str(&wire->headers, value);
    iv_buf_char(&wire->headers, '\0');
}

static iv_rc add_given_headers(struct iv_web_wire *wire, const struct iv_val *headers, struct iv_err *err)
{
    for (uint32_t i = 0; headers != NULL && headers->kind == IV_KIND_MAP && i < headers->n; i++) {
        const struct iv_val *pair = &headers->items[2 * (size_t)i];
        ENSURE(pair[0].kind == IV_KIND_STRING && pair[1].kind == IV_KIND_STRING, err, IV_E_STORE,
               "a header of the stored request is no text");
        add_header(wire, iv_val_slice(pair[0]), iv_val_slice(pair[1]));
    }
    return IV_OK;
}

static void add_authorization(struct iv_web_wire *wire, const char *scheme, const struct iv_buf *secret)
{
    iv_buf_inherit(&wire->headers, secret);
    iv_buf_text(&wire->headers, "Authorization: ");
    iv_buf_text(&wire->headers, scheme);
    iv_buf_str(&wire->headers, iv_buf_slice(secret));
    iv_buf_char(&wire->headers, '\0');
}

static bool fits_a_header(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f) {
            return false;
        }
    }
    return s.n > 0;
}

/* Read for each call: whoever renews it replaces the file. */
static iv_rc add_bearer_token(struct iv_web_wire *wire, const struct iv_endpoint *endpoint,
                              struct iv_err *err)
{
    struct iv_buf *token = next_secret(wire);
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = iv_file_read(token, endpoint->bearer_token_file, &why);
    ENSURE(iv_ok(rc), err, IV_E_BUSY, "the bearer token of endpoint '" IV_STR_FMT "' cannot be read: %s",
           IV_STR_ARG(endpoint->name), why.text);
    char *end = token->p == NULL ? NULL : memchr(token->p, '\n', token->n);
    token->n = end == NULL ? token->n : (size_t)(end - token->p);
    while (token->n > 0 && (token->p[token->n - 1] == '\r' || token->p[token->n - 1] == ' ')) {
        token->n--;
    }
    ENSURE(fits_a_header(iv_buf_slice(token)), err, IV_E_BUSY,
           "the bearer token of endpoint '" IV_STR_FMT "' is empty or holds a control character",
           IV_STR_ARG(endpoint->name));
    add_authorization(wire, "Bearer ", token);
    return IV_OK;
}

/*= RFC 6749 2.3.1 "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding
 * algorithm" */
static void add_basic(struct iv_web_wire *wire, const struct iv_endpoint *endpoint)
{
    struct iv_buf *pair = next_secret(wire);
    struct iv_buf *encoded = next_secret(wire);
    iv_form_encode(pair, endpoint->client_id);
    iv_buf_char(pair, ':');
    iv_form_encode(pair, endpoint->client_secret);
    iv_base64_encode(encoded, iv_buf_slice(pair));
    add_authorization(wire, "Basic ", encoded);
}

static iv_rc add_credentials(struct iv_web_wire *wire, const struct iv_endpoint *endpoint,
                             const struct iv_web_request *request, struct iv_err *err)
{
    if (endpoint->bearer_token_file.p != NULL) {
        TRY(add_bearer_token(wire, endpoint, err));
    }
    if (endpoint->client_secret.p == NULL) {
        return IV_OK;
    }
    iv_buf_str(next_secret(wire), endpoint->client_secret);
    if (endpoint->client_auth == IV_CLIENT_BASIC) {
        add_basic(wire, endpoint);
        return IV_OK;
    }
    ENSURE(request->type != NULL && strcmp(request->type, IV_WEB_FORM) == 0, err, IV_E_REFUSED,
           "endpoint '" IV_STR_FMT "' wants its client's secret in a form, and this action sends none",
           IV_STR_ARG(endpoint->name));
    iv_form_add(&wire->body, "client_id", endpoint->client_id);
    iv_form_add(&wire->body, "client_secret", endpoint->client_secret);
    return IV_OK;
}

iv_rc iv_web_json(struct iv_web_request *request, struct iv_call *call, const struct iv_val *json,
                  struct iv_err *err)
{
    if (json == NULL) {
        return IV_OK;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, IV_WEB_BODY_MAX_BYTES);
    iv_val_json(&text, json);
    TRY(iv_buf_check(&text, "the body of a call", err));
    request->type = "application/json";
    request->body = iv_arena_str(&call->arena, iv_buf_slice(&text));
    ENSURE(request->body.p != NULL, err, IV_E_NOMEM, "cannot allocate the body of a call");
    return IV_OK;
}

static void write_url(struct iv_web_wire *wire, const struct iv_call *call,
                      const struct iv_web_request *request)
{
    struct iv_str base = call->endpoint->url;
    while (request->path.n > 0 && base.n > 0 && base.p[base.n - 1] == '/') {
        base.n--;
    }
    iv_buf_str(&wire->url, base);
    iv_buf_str(&wire->url, request->path);
}

iv_rc iv_web_wire_write(struct iv_web_wire *wire, const struct iv_call *call,
                        const struct iv_web_request *request, struct iv_signature *signature,
                        struct iv_err *err)
{
    write_url(wire, call, request);
    iv_buf_str(&wire->body, request->body);
    /* No waiting for "100 Continue": a hook that does not know it would cost a second each time. */
    iv_buf_add(&wire->headers, "Expect:", sizeof "Expect:");
    if (request->type != NULL) {
        add_header(wire, IV_STR("Content-Type"), iv_str_of(request->type));
    } else {
        iv_buf_add(&wire->headers, "Content-Type:", sizeof "Content-Type:"); /* libcurl would make one up */
    }
    if (request->accept != NULL) {
        add_header(wire, IV_STR("Accept"), iv_str_of(request->accept));
    }
    add_header(wire, IV_STR("Idempotency-Key"), call->task.step.key);
    TRY(add_given_headers(wire, request->headers, err));
    TRY(add_credentials(wire, call->endpoint, request, err));
    TRY(iv_buf_check(&wire->url, "the address of a call", err));
    TRY(iv_buf_check(&wire->body, "the body of a call", err));
    if (call->endpoint->hmac_key.p != NULL) {
        char value[IV_SIGNATURE_TEXT_BYTES];
        iv_signature_make(value, signature, call->endpoint->hmac_key, call->now, iv_buf_slice(&wire->body));
        add_header(wire, IV_STR("Invigil-Signature"), iv_str_of(value));
        iv_buf_str(next_secret(wire), call->endpoint->hmac_key);
    }
    return iv_buf_check(&wire->headers, "the headers of a call", err);
}

void iv_web_wire_scrub(const struct iv_web_wire *wire, char *text, size_t n)
{
    for (size_t i = 0; i < wire->secret_count; i++) {
        struct iv_str secret = iv_buf_slice(&wire->secrets[i]);
        char *at = text;
        while (secret.n >= SECRET_MIN_BYTES && text != NULL &&
               (at = memmem(at, n - (size_t)(at - text), secret.p, secret.n)) != NULL) {
            memset(at, '*', secret.n);
            at += secret.n;
        }
    }
}
