/* SPDX-License-Identifier: Apache-2.0 */
/* What the actions on Kubernetes have in common: addresses of objects, and answers of the API.
 * Source: Kubernetes API conventions, "API concepts"; Object Names and IDs (RFC 1123). */
#pragma once

#include "respond/web/web.h"

/* "/api/v1/namespaces/NAMESPACE/pods/POD" of a kind of object; the namespace, and under `parameter` the
 * object's name, are the request's. IV_E_REFUSED: one is no such name, and could lead elsewhere. */
struct iv_object_kind {
    const char *group; /* "/api/v1" */
    const char *resource;
    const char *parameter;
};
iv_rc iv_object_path(struct iv_str *out, struct iv_call *call, const struct iv_object_kind *kind,
                     struct iv_err *err);
/* 404: there is none. 401: the token may have been renewed meanwhile, so it is tried again. */
void iv_object_judge(struct iv_call *call, const struct iv_web_answer *answer);
