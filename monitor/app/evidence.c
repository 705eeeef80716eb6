/* SPDX-License-Identifier: Apache-2.0 */
/* `invigil evidence`: what auditors ask. Each part is a file of its own. */
#include "app/command.h"
#include "base/guard.h"

extern const struct iv_command iv_command_evidence_export;
extern const struct iv_command iv_command_evidence_report;
extern const struct iv_command iv_command_evidence_verify;

static const struct iv_command *const parts[] = {&iv_command_evidence_report, &iv_command_evidence_export,
                                                 &iv_command_evidence_verify};

extern const struct iv_command iv_command_evidence;
const struct iv_command iv_command_evidence = {
    .name = "evidence",
    .synopsis = "report|export|verify",
    .doc = "For auditors: a period by criterion; its evidence as a bundle; whether a bundle holds.",
    .parts = parts,
    .part_count = IV_COUNT(parts),
};
