/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "respond/constraint.h"

#define COMMAND_MAX_BYTES (1u << 20)
#define TOPIC_MAX_BYTES 249

static const struct iv_parameter parameters[] = {
    {"topic", IV_PARAMETER_NAME, true, "The topic that takes the command."},
    {"key", IV_PARAMETER_TEXT, true, "The message's key: commands of one key keep their order."},
    {"value", IV_PARAMETER_JSON, true, "The message: any JSON."},
};

/* Kafka, org.apache.kafka.common.internals.Topic. */
static bool is_topic(const struct iv_val *value, struct iv_str *member)
{
    struct iv_str s = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
    (void)member;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                    c == '_' || c == '-';
        if (!good) {
            return false;
        }
    }
    return s.n > 0 && s.n <= TOPIC_MAX_BYTES && !iv_str_eq(s, IV_STR(".")) && !iv_str_eq(s, IV_STR(".."));
}

static const struct iv_constraint constraints[] = {
    {"topic", is_topic, "be a topic's name: 249 letters, digits, '.', '_' and '-' at most"},
};

/* The step's idempotency key goes into the header "idempotency-key" of the message. */
static iv_rc message(struct iv_posting *out, struct iv_call *call, struct iv_err *err)
{
    const struct iv_val *value = iv_request_get(&call->request, "value");
    struct iv_str topic = iv_request_text(&call->request, "topic");
    struct iv_str key = iv_request_text(&call->request, "key");
    ENSURE(value != NULL && topic.p != NULL && key.p != NULL, err, IV_E_STORE,
           "the stored request of step '" IV_STR_FMT "' lacks a topic, a key or a value",
           IV_STR_ARG(call->task.step.name));
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, COMMAND_MAX_BYTES);
    iv_val_json(&json, value);
    TRY(iv_buf_check(&json, "a command", err));
    struct iv_str text = iv_arena_str(&call->arena, iv_buf_slice(&json));
    ENSURE(text.p != NULL, err, IV_E_NOMEM, "cannot allocate a command");
    *out = (struct iv_posting){
        .channel = IV_CHANNEL_COMMAND,
        .topic = topic,
        .key = key,
        .value = text,
        .idempotency_key = call->task.step.key,
        .time = call->now,
    };
    return IV_OK;
}

const struct iv_action_kind iv_action_kafka_command = {
    .name = "kafka",
    .doc = "Puts a command on a Kafka topic.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .message = message,
};
