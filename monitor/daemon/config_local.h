/* SPDX-License-Identifier: Apache-2.0 */
/* The section `local` of the configuration: what may be done on this machine, and by which hand. */
#pragma once

#include "base/arena.h"
#include "baseline/yaml_fields.h"
#include "hand/hand.h"

/* node NULL: nothing may. responds: this process will do it. Mistakes go to problems. */
void iv_config_read_local(struct iv_hand_options *out, struct iv_arena *arena,
                          const struct iv_yaml_node *node, bool responds, struct iv_problems *problems);
