/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that the console of the tests knows: nine of those that ship, shortened. */
#pragma once

#include "baseline/rule.h"

static const struct rule_row {
    const char *id;
    const char *title;
    const char *description;
    const char *pack;
    enum iv_severity severity;
    const char *event;
    const char *criteria[3];
    const char *remediate;
} rule_rows[] = {
    {"ISO-001",
     "Enclave touched another tenant's resource",
     "An enclave works for one tenant. A resource of another one within its reach is a breach of isolation.",
     "isolation",
     IV_SEV_CRITICAL,
     "enclave.accessed",
     {"CC6.1", "C1.1"},
     "terminate-sandbox"},
    {"ISO-003",
     "Enclave used after it was terminated",
     "Work under an enclave that no longer exists means that it was not torn down, or that its name was "
     "forged.",
     "isolation",
     IV_SEV_HIGH,
     "tool.executed",
     {"CC6.1", "CC6.7"},
     "terminate-sandbox"},
    {"ISO-005",
     "Access by an enclave that was never created",
     "Every enclave is announced. One that was not runs outside of the orchestrator's sight.",
     "isolation",
     IV_SEV_HIGH,
     "enclave.accessed",
     {"CC6.1", "CC7.2"},
     NULL},
    {"TOK-001",
     "Token used outside of its validity",
     "An ephemeral credential that works after its end is a standing credential.",
     "tokens",
     IV_SEV_HIGH,
     "token.used",
     {"CC6.1", "CC6.2"},
     NULL},
    {"TOK-002",
     "Token used after it was revoked",
     "A revocation that some endpoint does not honour leaves a stolen token alive.",
     "tokens",
     IV_SEV_CRITICAL,
     "token.used",
     {"CC6.1", "CC6.3"},
     "revoke-tokens-globally"},
    {"TOK-003",
     "Token neither expired nor revoked by its end",
     "The authority must see each token off; one without an end in the record may still be accepted "
     "somewhere.",
     "tokens",
     IV_SEV_MEDIUM,
     "token.issued",
     {"CC6.2"},
     NULL},
    {"TBP-001",
     "Tool executed without authorization",
     "A tool ran and no decision of the orchestrator allowed this request, this tool and these arguments.",
     "tool-bypass",
     IV_SEV_CRITICAL,
     "tool.executed",
     {"CC6.8", "CC8.1"},
     "terminate-sandbox"},
    {"TBP-002",
     "Denied request was executed all the same",
     "The orchestrator said no, and the tool ran.",
     "tool-bypass",
     IV_SEV_CRITICAL,
     "tool.executed",
     {"CC6.8", "PI1.4"},
     "revoke-tokens-globally"},
    {"EVT-001",
     "One identity with two contents",
     "Two records claim to be the same event and differ: one of them is not what happened.",
     "built in",
     IV_SEV_LOW,
     "agent.heartbeat",
     {"CC7.2"},
     NULL},
};
