/* SPDX-License-Identifier: Apache-2.0 */
/* What goes on around an agent's sessions: firmware, keys, personal data, configuration. */
#pragma once

#include "fleet/draft.h"

/* Adds some of it now and then, from a moment on. */
void iv_sim_upkeep(struct iv_sim_draft *draft, iv_ns begin);
