/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: the sections TYPE, LANE, TOPI and RECS of a snapshot. */
#pragma once

#include "base/buf.h"
#include "engine/core.h"

iv_rc iv_snapshot_records(struct iv_engine *e, struct iv_buf *out, struct iv_err *err);
