/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to its reply: the table of routes and who answers each. */
#pragma once

#include "console/server.h"

/* For MHD_start_daemon; ctx is the console. */
enum MHD_Result iv_answer(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
                          const char *version, const char *body, size_t *body_n, void **slot);
/* For MHD_OPTION_NOTIFY_COMPLETED. */
void iv_answer_completed(void *ctx, struct MHD_Connection *connection, void **slot,
                         enum MHD_RequestTerminationCode how);

#define ROUTE(name, method, path, needs, parameters)                                                         \
    void iv_answer_##name(struct iv_reply *reply, struct iv_request *request);
#include "console/routes.def"
#undef ROUTE

/* The page's files: false where there is none of this path. */
bool iv_answer_file(struct iv_reply *reply, struct iv_request *request, struct iv_str path);
