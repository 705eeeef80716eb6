/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "respond/constraint.h"
#include "respond/kubernetes/object.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX_BYTES 4096

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The cluster's name in the daemon's configuration."},
    {"namespace", IV_PARAMETER_TEXT, true, "The pod's namespace."},
    {"pod", IV_PARAMETER_TEXT, true, "The pod's name."},
    {"uid", IV_PARAMETER_TEXT, false, "The pod's uid: no other pod that has got its name is deleted."},
};

/* A uid that was asked for and is not known would let any pod of the name be deleted. */
static const struct iv_constraint constraints[] = {
    {"namespace", iv_object_is_namespace, IV_MUST_BE_NAMESPACE},
    {"pod", iv_object_is_name, IV_MUST_BE_OBJECT},
    {"uid", iv_value_is_given, IV_MUST_BE_GIVEN},
};

static const struct iv_object_kind pods = {"/api/v1", "pods", "pod"};

/* Kubernetes API, DeleteOptions: no grace, and of this pod alone. */
static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    char room[BODY_MAX_BYTES];
    struct iv_buf body;
    struct iv_str uid = iv_request_text(&call->request, "uid");
    *out =
        (struct iv_web_request){.method = "DELETE", .type = "application/json", .accept = "application/json"};
    TRY(iv_object_path(&out->path, call, &pods, err));
    iv_buf_init_lent(&body, room, sizeof room, sizeof room - 1);
    struct iv_json json = iv_json_to(&body);
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "apiVersion", "v1");
    iv_json_text(&json, "kind", "DeleteOptions");
    iv_json_int(&json, "gracePeriodSeconds", 0);
    if (uid.n > 0) {
        iv_json_open_object(&json, "preconditions");
        iv_json_str(&json, "uid", uid);
        iv_json_close_object(&json);
    }
    iv_json_close_object(&json);
    TRY(iv_buf_check(&body, "the body of a call", err));
    out->body = iv_arena_str(&call->arena, iv_buf_slice(&body));
    ENSURE(out->body.p != NULL, err, IV_E_NOMEM, "cannot allocate the body of a call");
    return IV_OK;
}

static void judge(struct iv_call *call, const struct iv_web_answer *answer)
{
    struct iv_outcome *o = &call->outcome;
    struct iv_str name = call->endpoint->name;
    bool of_another = memmem(answer->body.p, answer->body.n, "recondition failed: UID", 23) != NULL;
    iv_object_judge(call, &pods, answer);
    if (answer->status == 409 && of_another) {
        o->kind = IV_OUTCOME_ABSENT;
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' has another pod of this name: the one meant is gone",
                       IV_STR_ARG(name));
    } else if (answer->status == 409) {
        o->kind = IV_OUTCOME_RETRY;
    } else if (answer->status == 202) {
        (void)snprintf(o->cause, sizeof o->cause, "endpoint '" IV_STR_FMT "' has begun to delete",
                       IV_STR_ARG(name));
    }
}

const struct iv_action_kind iv_action_kubernetes_delete_pod = {
    .name = "kubernetes.delete_pod",
    .doc = "Deletes one pod of a cluster, without grace.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .ask = ask,
    .judge = judge,
};
