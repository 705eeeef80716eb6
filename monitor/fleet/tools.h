/* SPDX-License-Identifier: Apache-2.0 */
/* The tools that the fleet's agents have, as rules/baseline.yaml approves them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct iv_sim_tool {
    const char *name;
    const char *scope;
    const char *endpoint;
    bool mutates;
};

#define IV_SIM_TOOLS 6
#define IV_SIM_UNAPPROVED_TOOL 6 /* nobody reviewed it */

extern const struct iv_sim_tool iv_sim_tools[];

/* Whether the one may call the other; IV_SIM_NO_TOOL calls none. */
bool iv_sim_tool_calls(uint8_t caller, uint8_t tool);
