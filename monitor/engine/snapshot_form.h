/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer and the reader of snapshots agree on (snapshot.h has the form). */
#pragma once

#include "engine/frame.h"

extern const struct iv_frame iv_snapshot_frame;

#define IV_SECTION_BASE "BASE"
#define IV_SECTION_RULES "RULE"
#define IV_SECTION_TIME "TIME"
#define IV_SECTION_TYPES "TYPE"
#define IV_SECTION_LANES "LANE"
#define IV_SECTION_TOPICS "TOPI"
#define IV_SECTION_RECORDS "RECS"
#define IV_SECTION_TOLD "TOLD"
#define IV_SECTION_LOGS "LOGS"
#define IV_SECTION_POPULATION "POPU"

/* Of struct iv_engine_stats, beside the verdicts. */
#define IV_SNAPSHOT_FIGURES 7

/* Of a record. */
enum iv_snapshot_flag {
    IV_RECORD_TELEMETRY = 1 << 0,
    IV_RECORD_DIGEST = 1 << 1,
    IV_RECORD_CONTENT_ID = 1 << 2,
    IV_RECORD_IDENTITY = 1 << 3,      /* its identity is remembered */
    IV_RECORD_CONTENT_TOLD = 1 << 4,  /* it is part of an equivocation */
    IV_RECORD_IDENTITY_TOLD = 1 << 5, /* its identity's equivocation was emitted */
    IV_RECORD_AFTERMATH = 1 << 6,     /* it is remembered longer for that */
    IV_RECORD_FLAGS = (1 << 7) - 1,
};
