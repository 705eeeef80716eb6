/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "respond/constraint.h"
#include "respond/kubernetes/object.h"

#include <string.h>

#define BODY_MAX_BYTES (64u << 10)
#define LABEL_MAX_BYTES 63

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The cluster's name in the daemon's configuration."},
    {"namespace", IV_PARAMETER_TEXT, true, "The namespace of the pods, and of the policy."},
    {"name", IV_PARAMETER_TEXT, true, "The policy's name: one that is there is replaced."},
    {"labels", IV_PARAMETER_JSON, true, "The labels of the pods; {}: all pods of the namespace."},
    {"state", IV_PARAMETER_NAME, false, "present, the default, or absent, which takes the policy away."},
};

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/*= Kubernetes, Labels and Selectors "Valid label value: must be 63 characters or less (can be empty), unless
 * empty, must begin and end with an alphanumeric character" */
static bool is_label_value(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool inside = i > 0 && i + 1 < s.n && s.p[i] != '\0' && strchr("-_.", s.p[i]) != NULL;
        if (!inside && !is_letter_or_digit(s.p[i])) {
            return false;
        }
    }
    return s.n <= LABEL_MAX_BYTES;
}

static bool is_labels(const struct iv_val *value, struct iv_str *member)
{
    if (!iv_value_is_texts(value, member)) {
        return false;
    }
    for (uint32_t i = 0; i < value->n; i++) {
        const struct iv_val *pair = &value->items[2 * (size_t)i];
        if (iv_val_slice(pair[0]).n == 0 || !is_label_value(iv_val_slice(pair[1]))) {
            *member = iv_val_slice(pair[0]);
            return false;
        }
    }
    return true;
}

static bool is_state(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    struct iv_str s = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
    return iv_str_eq(s, IV_STR("present")) || iv_str_eq(s, IV_STR("absent"));
}

static const struct iv_constraint constraints[] = {
    {"namespace", iv_object_is_namespace, IV_MUST_BE_NAMESPACE},
    {"name", iv_object_is_name, IV_MUST_BE_OBJECT},
    {"labels", is_labels, "be a mapping of labels: texts that Kubernetes takes for the value of one"},
    {"state", is_state, "be present or absent"},
};

static const struct iv_object_kind policies = {"/apis/networking.k8s.io/v1", "networkpolicies", "name"};

/* networking.k8s.io/v1 NetworkPolicy: of the type Egress, and no rule that lets anything out. */
static iv_rc write_policy(struct iv_buf *out, struct iv_call *call, const struct iv_val *labels,
                          struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf selector;
    iv_buf_init(&selector, BODY_MAX_BYTES);
    iv_val_json(&selector, labels);
    TRY(iv_buf_check(&selector, "the labels of a network policy", err));
    struct iv_json json = iv_json_to(out);
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "apiVersion", "networking.k8s.io/v1");
    iv_json_text(&json, "kind", "NetworkPolicy");
    iv_json_open_object(&json, "metadata");
    iv_json_str(&json, "name", iv_request_text(&call->request, "name"));
    iv_json_str(&json, "namespace", iv_request_text(&call->request, "namespace"));
    iv_json_open_object(&json, "annotations");
    iv_json_str(&json, "invigil/execution", call->task.execution.key);
    iv_json_close_object(&json);
    iv_json_close_object(&json);
    iv_json_open_object(&json, "spec");
    iv_json_open_object(&json, "podSelector");
    iv_json_raw(&json, "matchLabels", iv_buf_slice(&selector));
    iv_json_close_object(&json);
    iv_json_open_list(&json, "policyTypes");
    iv_json_text(&json, NULL, "Egress");
    iv_json_close_list(&json);
    iv_json_open_list(&json, "egress");
    iv_json_close_list(&json);
    iv_json_close_object(&json);
    iv_json_close_object(&json);
    return iv_buf_check(out, "a network policy", err);
}

static bool is_to_be_absent(const struct iv_call *call)
{
    struct iv_str state = iv_request_text(&call->request, "state");
    return state.p != NULL && iv_str_eq(state, IV_STR("absent"));
}

/* Server-side apply makes it where it is not there and replaces it where it is, in one request; JSON is YAML.
 */
static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    const struct iv_val *labels = iv_request_get(&call->request, "labels");
    struct iv_str path;
    ENSURE(labels != NULL, err, IV_E_STORE, "the stored request of step '" IV_STR_FMT "' lacks labels",
           IV_STR_ARG(call->task.step.name));
    TRY(iv_object_path(&path, call, &policies, err));
    *out = (struct iv_web_request){.method = "DELETE", .path = path, .accept = "application/json"};
    if (is_to_be_absent(call)) {
        return IV_OK;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf body;
    iv_buf_init(&body, BODY_MAX_BYTES);
    TRY(write_policy(&body, call, labels, err));
    out->method = "PATCH";
    out->type = "application/apply-patch+yaml";
    out->path =
        iv_arena_printf(&call->arena, IV_STR_FMT "?fieldManager=invigil&force=true", IV_STR_ARG(path));
    out->body = iv_arena_str(&call->arena, iv_buf_slice(&body));
    ENSURE(out->path.p != NULL && out->body.p != NULL, err, IV_E_NOMEM, "cannot allocate a network policy");
    return IV_OK;
}

/* An apply makes the policy where it is not there: a 404 of it is of something else. */
static void judge(struct iv_call *call, const struct iv_web_answer *answer)
{
    iv_object_judge(call, &policies, answer);
    if (call->outcome.kind == IV_OUTCOME_ABSENT && !is_to_be_absent(call)) {
        call->outcome.kind = IV_OUTCOME_FAILED;
    }
}

const struct iv_action_kind iv_action_kubernetes_network_policy = {
    .name = "kubernetes.network_policy",
    .doc = "Lets nothing out of pods of a cluster any more, by a network policy.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .ask = ask,
    .judge = judge,
};
