/* SPDX-License-Identifier: Apache-2.0 */
/* Which findings, or incidents, a request asks for. */
#pragma once

#include "console/server.h"
#include "evidence/reader.h"

/* False: the reply says what is wrong. */
bool iv_filter_read(struct iv_finding_filter *out, struct iv_request *request, struct iv_reply *reply);
