/* SPDX-License-Identifier: Apache-2.0 */
/* `invigil evidence`: what auditors ask. Each part is a file of its own. */
#include "app/command.h"
#include "base/guard.h"

extern const struct iv_command iv_command_evidence_export;
extern const struct iv_command iv_command_evidence_verify;

static const struct iv_command *const parts[] = {&iv_command_evidence_export, &iv_command_evidence_verify};

extern const struct iv_command iv_command_evidence;
const struct iv_command iv_command_evidence = {
    .name = "evidence",
    .synopsis = "export|verify",
    .doc = "For auditors: a period's evidence as a bundle, and whether a bundle proves what it says.",
    .parts = parts,
    .part_count = IV_COUNT(parts),
};
