/* SPDX-License-Identifier: Apache-2.0 */
/* One session of an agent: an enclave, a token, a few tool calls, and now and then something of the agent's
 * upkeep. All of it conforms to every rule. */
#pragma once

#include "fleet/draft.h"

struct iv_sim_session {
    iv_ns over;    /* when the agent is free again */
    bool stopping; /* it says good-bye then */
};

/* Fills a draft that has begun. */
struct iv_sim_session iv_sim_session_draft(struct iv_sim_draft *draft, iv_ns begin);
