/* SPDX-License-Identifier: Apache-2.0 */
/* One execution as the API tells it. */
#pragma once

#include "console/server.h"

/* The execution that the request's path names, as it stands after a change. */
void iv_execution_reply(struct iv_reply *reply, struct iv_request *request);
