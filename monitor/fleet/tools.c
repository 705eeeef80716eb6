/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/tools.h"

enum { SEARCH, READ, QUERY, SEND, UPDATE, SUMMARIZE };

const struct iv_sim_tool iv_sim_tools[] = {
    [SEARCH] = {"search_documents", "documents:read", "https://tools.internal/search", false},
    [READ] = {"read_record", "records:read", "https://tools.internal/records", false},
    [QUERY] = {"query_database", "database:read", "https://tools.internal/query", false},
    [SEND] = {"send_message", "messages:send", "https://tools.internal/messages", true},
    [UPDATE] = {"update_record", "records:write", "https://tools.internal/records", true},
    [SUMMARIZE] = {"summarize", "documents:read", "https://tools.internal/summarize", false},
    [IV_SIM_UNAPPROVED_TOOL] = {"run_shell", "system:execute", "https://tools.internal/shell", true},
};

#define CALLS(tool) (1U << (tool))

bool iv_sim_tool_calls(uint8_t caller, uint8_t tool)
{
    static const unsigned graph[] = {
        [SEARCH] = CALLS(READ) | CALLS(SUMMARIZE),
        [READ] = CALLS(SUMMARIZE) | CALLS(UPDATE) | CALLS(SEND),
        [QUERY] = CALLS(READ) | CALLS(SUMMARIZE),
        [SEND] = 0,
        [UPDATE] = 0,
        [SUMMARIZE] = CALLS(SEND),
    };
    return caller < IV_SIM_TOOLS && (graph[caller] & CALLS(tool)) != 0;
}
