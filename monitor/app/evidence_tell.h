/* SPDX-License-Identifier: Apache-2.0 */
/* A tally for people, and for programs. */
#pragma once

#include "app/evidence_tally.h"
#include "base/buf.h"

void iv_tally_text(struct iv_buf *out, const struct iv_tally *tally);
/* One JSON object in a line. */
void iv_tally_json(struct iv_buf *out, const struct iv_tally *tally);
