/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8935 hands on one Security Event Token (RFC 8417), whose event is one of CAEP. */
#include "base/buf.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/jws_key.h"
#include "respond/constraint.h"
#include "respond/web/web.h"

#include <stdio.h>
#include <string.h>

#define TOKEN_MAX_BYTES (256u << 10)
#define CAEP "https://schemas.openid.net/secevent/caep/event-type/"
#define EVENT_DEFAULT "session-revoked"

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The receiver's name in the daemon's configuration, with a key."},
    {"path", IV_PARAMETER_PATH, false, "What follows the endpoint's url, which else is the whole address."},
    {"event", IV_PARAMETER_NAME, false, "The event's type: a URI, or one of CAEP's; session-revoked."},
    {"subject", IV_PARAMETER_JSON, true, "A subject identifier (RFC 9493), format and all."},
    {"claims", IV_PARAMETER_JSON, false, "Claims of the event's own, as its type wants them."},
    {"reason", IV_PARAMETER_TEXT, false, "For administrators of the receiver, in English."},
};

static bool is_event(const struct iv_val *value, struct iv_str *member)
{
    struct iv_str s = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
    (void)member;
    bool is_uri = false;
    bool is_name = s.n > 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7f) {
            return false;
        }
        is_uri = is_uri || (c == ':' && i > 0);
        is_name = is_name && ((c >= 'a' && c <= 'z') || c == '-');
    }
    return is_uri || is_name;
}

static bool is_claims(const struct iv_val *value, struct iv_str *member)
{
    static const struct iv_str ours[] = {IV_STR_INIT("event_timestamp"), IV_STR_INIT("initiating_entity"),
                                         IV_STR_INIT("reason_admin")};
    for (uint32_t i = 0; value->kind == IV_KIND_MAP && i < value->n; i++) {
        struct iv_str name = iv_val_slice(value->items[2 * (size_t)i]);
        for (size_t o = 0; o < IV_COUNT(ours); o++) {
            if (iv_str_eq(name, ours[o])) {
                *member = name;
                return false;
            }
        }
    }
    return value->kind == IV_KIND_MAP;
}

static const struct iv_constraint constraints[] = {
    {"event", is_event, "be a URI, or the name of one of CAEP's events: small letters and '-'"},
    {"subject", iv_value_is_subject, IV_MUST_BE_SUBJECT},
    {"claims", is_claims,
     "be a mapping without those that the action sets itself: event_timestamp, initiating_entity, "
     "reason_admin"},
};

static struct iv_str event_type(struct iv_call *call)
{
    struct iv_str event = iv_request_text(&call->request, "event");
    event = event.p == NULL ? IV_STR(EVENT_DEFAULT) : event;
    bool is_uri = memchr(event.p, ':', event.n) != NULL;
    return is_uri ? event : iv_arena_printf(&call->arena, CAEP IV_STR_FMT, IV_STR_ARG(event));
}

static void write_event(struct iv_json *j, struct iv_call *call, struct iv_str type)
{
    const struct iv_val *claims = iv_request_get(&call->request, "claims");
    struct iv_str reason = iv_request_text(&call->request, "reason");
    iv_json_open_object(j, type.p);
    iv_json_int(j, "event_timestamp", call->now / IV_NS_PER_S);
    iv_json_text(j, "initiating_entity", "policy");
    if (reason.n > 0) {
        iv_json_open_object(j, "reason_admin");
        iv_json_str(j, "en", reason);
        iv_json_close_object(j);
    }
    for (uint32_t i = 0; claims != NULL && claims->kind == IV_KIND_MAP && i < claims->n; i++) {
        struct iv_str name = iv_val_slice(claims->items[2 * (size_t)i]);
        IV_AUTO(iv_buf_deinit) struct iv_buf value;
        iv_buf_init(&value, TOKEN_MAX_BYTES);
        iv_val_json(&value, &claims->items[2 * (size_t)i + 1]);
        struct iv_str ended = iv_arena_str(&call->arena, name);
        iv_buf_inherit(j->out, &value);
        iv_json_raw(j, ended.p == NULL ? "" : ended.p, iv_buf_slice(&value));
    }
    iv_json_close_object(j);
}

/*= RFC 8417 2.2 "A unique identifier for the SET": the step's key, so that a repetition is the same event */
static void write_claims(struct iv_buf *out, struct iv_call *call, struct iv_str type,
                         const struct iv_val *subject)
{
    const struct iv_set_issuer *set = &call->endpoint->set;
    IV_AUTO(iv_buf_deinit) struct iv_buf id;
    iv_buf_init(&id, TOKEN_MAX_BYTES);
    iv_val_json(&id, subject);
    iv_buf_inherit(out, &id);
    struct iv_json json = iv_json_to(out);
    iv_json_open_object(&json, NULL);
    iv_json_str(&json, "iss", set->issuer);
    iv_json_str(&json, "jti", call->task.step.key);
    iv_json_int(&json, "iat", call->now / IV_NS_PER_S);
    iv_json_str(&json, "aud", set->audience);
    iv_json_str(&json, "txn", call->task.execution.key);
    iv_json_raw(&json, "sub_id", iv_buf_slice(&id));
    iv_json_open_object(&json, "events");
    write_event(&json, call, type);
    iv_json_close_object(&json);
    iv_json_close_object(&json);
}

static void write_header(struct iv_buf *out, const struct iv_set_issuer *set, const char *algorithm)
{
    struct iv_json json = iv_json_to(out);
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "typ", "secevent+jwt");
    iv_json_text(&json, "alg", algorithm);
    if (set->key_id.n > 0) {
        iv_json_str(&json, "kid", set->key_id);
    }
    iv_json_close_object(&json);
}

/*= RFC 7515 7.1 "BASE64URL(UTF8(JWS Protected Header)) || '.' || BASE64URL(JWS Payload)" */
static iv_rc write_token(struct iv_buf *out, struct iv_call *call, const struct iv_jws_key *key,
                         const struct iv_val *subject, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf part;
    struct iv_str type = event_type(call);
    ENSURE(type.p != NULL, err, IV_E_NOMEM, "cannot allocate a security event");
    iv_buf_init(&part, TOKEN_MAX_BYTES);
    write_header(&part, &call->endpoint->set, iv_jws_algorithm(key));
    iv_base64url_encode(out, iv_buf_slice(&part));
    iv_buf_inherit(out, &part);
    iv_buf_clear(&part);
    write_claims(&part, call, type, subject);
    iv_buf_char(out, '.');
    iv_base64url_encode(out, iv_buf_slice(&part));
    iv_buf_inherit(out, &part);
    TRY(iv_buf_check(out, "a security event", err));
    iv_buf_clear(&part);
    TRY(iv_jws_sign(&part, key, iv_buf_slice(out), err));
    iv_buf_char(out, '.');
    iv_base64url_encode(out, iv_buf_slice(&part));
    return iv_buf_check(out, "a security event", err);
}

static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    const struct iv_val *subject = iv_request_get(&call->request, "subject");
    const struct iv_set_issuer *set = &call->endpoint->set;
    ENSURE(set->key.p != NULL, err, IV_E_REFUSED,
           "endpoint '" IV_STR_FMT "' has no 'set', which says who signs security events, and with which key",
           IV_STR_ARG(call->endpoint->name));
    ENSURE(subject != NULL, err, IV_E_STORE, "the stored request of step '" IV_STR_FMT "' lacks a subject",
           IV_STR_ARG(call->task.step.name));
    IV_AUTO(iv_jws_key_freep) struct iv_jws_key *key = NULL;
    TRY(iv_jws_key_new(&key, set->key, err));
    IV_AUTO(iv_buf_deinit) struct iv_buf token;
    iv_buf_init(&token, IV_WEB_BODY_MAX_BYTES);
    TRY(write_token(&token, call, key, subject, err));
    *out = (struct iv_web_request){
        .method = "POST",
        .path = iv_request_text(&call->request, "path"),
        .type = "application/secevent+jwt",
        .accept = "application/json",
        .body = iv_arena_str(&call->arena, iv_buf_slice(&token)),
    };
    ENSURE(out->body.p != NULL, err, IV_E_NOMEM, "cannot allocate a security event");
    return IV_OK;
}

/*= RFC 8935 2.4 "Security Event Token Error Codes" */
static const char *error_code(struct iv_str body)
{
    static const char *const codes[] = {"invalid_request",  "invalid_key",           "invalid_issuer",
                                        "invalid_audience", "authentication_failed", "access_denied",
                                        "invalid_state"};
    for (size_t i = 0; i < IV_COUNT(codes); i++) {
        char quoted[32];
        int n = snprintf(quoted, sizeof quoted, "\"%s\"", codes[i]);
        if (memmem(body.p, body.n, quoted, (size_t)n) != NULL) {
            return codes[i];
        }
    }
    return NULL;
}

static void judge(struct iv_call *call, const struct iv_web_answer *answer)
{
    struct iv_outcome *o = &call->outcome;
    struct iv_str name = call->endpoint->name;
    const char *code = answer->status == 400 ? error_code(answer->body) : NULL;
    if (code != NULL) {
        (void)snprintf(o->cause, sizeof o->cause, "endpoint '" IV_STR_FMT "' refused the event: %s",
                       IV_STR_ARG(name), code);
    } else if (o->kind == IV_OUTCOME_DONE && answer->status != 202) {
        o->kind = IV_OUTCOME_FAILED;
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' answered %d; only 202 says that the event was taken",
                       IV_STR_ARG(name), answer->status);
    }
}

const struct iv_action_kind iv_action_ssf_push = {
    .name = "ssf.push",
    .doc = "Pushes a signed security event, CAEP's session-revoked unless told (RFC 8417, RFC 8935).",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .ask = ask,
    .judge = judge,
};
