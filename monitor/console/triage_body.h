/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody asks to be done with a finding, or with an incident's. */
#pragma once

#include "console/server.h"
#include "evidence/triage.h"

enum { IV_TRIAGE_REASON_MAX = 512 };

struct iv_triage_asked {
    struct iv_triage triage;
    struct iv_str verb;
    struct iv_str until;
    struct iv_str upto; /* of an incident; p NULL: not given */
};

/* From the body, which says each thing that its verb needs and no other. False: the reply holds the refusal.
 */
bool iv_triage_body_read(struct iv_triage_asked *out, struct iv_request *request, struct iv_reply *reply,
                         bool of_incident);
