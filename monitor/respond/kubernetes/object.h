/* SPDX-License-Identifier: Apache-2.0 */
/* What the actions on Kubernetes have in common: addresses of objects, and answers of the API.
 * Source: Kubernetes API conventions, "API concepts"; Object Names and IDs (RFC 1123). */
#pragma once

#include "respond/web/web.h"

/* For constraints, which every kind here has on both: what is no such name could lead elsewhere. */
#define IV_MUST_BE_NAMESPACE                                                                                 \
    "be a namespace's name: lower case letters, digits and, between them, '-', 63 at most"
bool iv_object_is_namespace(const struct iv_val *value, struct iv_str *member);
#define IV_MUST_BE_OBJECT                                                                                    \
    "be an object's name: lower case letters, digits and, between them, '-' and '.', 253 at most"
bool iv_object_is_name(const struct iv_val *value, struct iv_str *member);

/* "/api/v1/namespaces/NAMESPACE/pods/POD" of a kind of object; the namespace, and under `parameter` the
 * object's name, are the request's. */
struct iv_object_kind {
    const char *group; /* "/api/v1" */
    const char *resource;
    const char *parameter;
};
iv_rc iv_object_path(struct iv_str *out, struct iv_call *call, const struct iv_object_kind *kind,
                     struct iv_err *err);
/* 404: there is none, if the answer is a Status that says so of this object; of anything else, a namespace or
 * an address, it is a failure. 401: the token may have been renewed meanwhile, so it is tried again. */
void iv_object_judge(struct iv_call *call, const struct iv_object_kind *kind,
                     const struct iv_web_answer *answer);
