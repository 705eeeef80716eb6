/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline for people: rules by criterion, and what each keeps in memory. */
#pragma once

#include "base/buf.h"
#include "baseline/baseline.h"

void iv_rule_summary(struct iv_buf *out, const struct iv_baseline *baseline);
/* The programs that the rules were compiled to. */
void iv_rule_dump(struct iv_buf *out, const struct iv_baseline *baseline);
