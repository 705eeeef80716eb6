/* SPDX-License-Identifier: Apache-2.0 */
/* Before this process begins to respond: what whoever did so before it has told.
 * Purpose: what guards count, and what has been done for a finding or a target already, is known from the
 * topic of actions; who takes over has to have read it as far as it went when he did.
 * Owner/thread: one thread. Guarantee: the wait is bounded; a broker that does not say how far the topic goes
 * does not keep anybody from responding for ever. */
#pragma once

#include "base/clock.h"
#include "stream/ends.h"

#include <stdbool.h>

enum { IV_SUCCESSION_PARTITIONS = 256 }; /* of more, those behind are not waited for */

struct iv_succession {
    struct iv_clock clock;
    struct iv_ends *ends;
    struct iv_cursor at[IV_SUCCESSION_PARTITIONS]; /* up to where it is to be read */
    size_t count;
    bool open;   /* it is waited for */
    iv_ns since; /* monotonic; 0: not begun */
    bool asked;
};

iv_rc iv_succession_init(struct iv_succession *succession, struct iv_clock clock,
                         const struct iv_property *properties, size_t property_count, struct iv_str topic,
                         struct iv_err *err);
void iv_succession_deinit(struct iv_succession *succession);

/* From now on somebody else may have told something. */
void iv_succession_reopen(struct iv_succession *succession);
/* Whether what was told has been read, as has_read says of the topic's ends, or need not be waited for any
 * longer. To be asked again and again until it is so. */
bool iv_succession_is_over(struct iv_succession *succession,
                           bool (*has_read)(void *ctx, const struct iv_cursor *ends, size_t count),
                           void *ctx);
