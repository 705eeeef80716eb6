/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of the baseline that ships, as far as the fleet keeps to them or oversteps them.
 * They must be those of rules/baseline.yaml: tests/property/planted fails where they are not. */
#pragma once

#include "base/time.h"

#define MS IV_NS_PER_MS
#define S IV_NS_PER_S

#define SKEW (1 * S)
#define PROPAGATION (1 * S)
#define HEARTBEAT (30 * S)
#define SHRED (60 * S)
#define ROLL_BACK (600 * S)
#define REPORT (3600 * S)
#define RETENTION (24 * 3600 * S) /* of the category "session" */
#define KEY_AGE (90 * 24 * 3600 * S)
#define MAX_TTL (300 * S)
#define CANARY_MAX 5 /* executions in a minute by an agent "canary-*" */

/* What the fleet does within them. */
#define HEARTBEAT_EVERY (10 * S)
#define IMMORTAL (3 * S) /* a token of 2s that never ends, and the skew */
