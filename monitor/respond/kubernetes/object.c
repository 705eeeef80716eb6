/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/kubernetes/object.h"

#include "base/guard.h"
#include "respond/web/answer.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_BYTES 253
#define LABEL_MAX_BYTES 63

/*= RFC 1123 2.1 "letters, digits and hyphen", as Kubernetes has it: lower case, dots between labels */
static bool is_name(struct iv_str s)
{
    bool begins = true;
    for (size_t i = 0; i < s.n; i++) {
        bool plain = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9');
        bool last = i + 1 == s.n || s.p[i + 1] == '.';
        if (!plain && (begins || last || (s.p[i] != '-' && s.p[i] != '.'))) {
            return false;
        }
        begins = s.p[i] == '.';
    }
    return s.n > 0 && s.n <= NAME_MAX_BYTES && !begins;
}

bool iv_object_is_name(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    return value->kind == IV_KIND_STRING && is_name(iv_val_slice(*value));
}

bool iv_object_is_namespace(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    struct iv_str s = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
    return is_name(s) && s.n <= LABEL_MAX_BYTES && memchr(s.p, '.', s.n) == NULL;
}

iv_rc iv_object_path(struct iv_str *out, struct iv_call *call, const struct iv_object_kind *kind,
                     struct iv_err *err)
{
    struct iv_str folder = iv_request_text(&call->request, "namespace");
    struct iv_str object = iv_request_text(&call->request, kind->parameter);
    ENSURE(folder.p != NULL && object.p != NULL, err, IV_E_STORE,
           "the stored request of step '" IV_STR_FMT "' lacks a namespace or a %s",
           IV_STR_ARG(call->task.step.name), kind->parameter);
    *out = iv_arena_printf(&call->arena, "%s/namespaces/" IV_STR_FMT "/%s/" IV_STR_FMT, kind->group,
                           IV_STR_ARG(folder), kind->resource, IV_STR_ARG(object));
    ENSURE(out->p != NULL, err, IV_E_NOMEM, "cannot allocate the address of an object");
    return IV_OK;
}

static struct iv_str member(const struct iv_val *map, const char *name)
{
    const struct iv_val *value = map->kind == IV_KIND_MAP ? iv_request_get(map, name) : NULL;
    return value != NULL && value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
}

/*= Kubernetes API conventions, "Response Status Kind": reason NotFound, details.kind ("the kind attribute of
 * the resource") and details.name of what was not found */
static bool is_not_found(const struct iv_val *status, struct iv_call *call, const struct iv_object_kind *kind)
{
    const struct iv_val *details = status->kind == IV_KIND_MAP ? iv_request_get(status, "details") : NULL;
    return details != NULL && iv_str_eq(member(status, "kind"), IV_STR("Status")) &&
           iv_str_eq(member(status, "reason"), IV_STR("NotFound")) &&
           iv_str_eq(member(details, "kind"), iv_str_of(kind->resource)) &&
           iv_str_eq(member(details, "name"), iv_request_text(&call->request, kind->parameter));
}

void iv_object_judge(struct iv_call *call, const struct iv_object_kind *kind,
                     const struct iv_web_answer *answer)
{
    struct iv_outcome *o = &call->outcome;
    struct iv_str name = call->endpoint->name;
    struct iv_val status;
    if (answer->status == 401) {
        o->kind = IV_OUTCOME_RETRY;
    } else if (answer->status == 404 && iv_answer_json(&status, call, answer->body) &&
               is_not_found(&status, call, kind)) {
        o->kind = IV_OUTCOME_ABSENT;
        (void)snprintf(o->cause, sizeof o->cause, "endpoint '" IV_STR_FMT "' has no such object",
                       IV_STR_ARG(name));
    } else if (answer->status == 404) {
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' answered 404, and not of this object: there is no such "
                       "namespace, or its address is not that of the API",
                       IV_STR_ARG(name));
    }
}
