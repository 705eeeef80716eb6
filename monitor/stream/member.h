/* SPDX-License-Identifier: Apache-2.0 */
/* One consumer's properties among several of one configuration: its group, and its name there.
 * Purpose: the user configures one group and, for static membership, one member; each consumer of ours is a
 * member of its own, and those that read for another purpose are a group of their own.
 * Owner/thread: whoever opens the consumer. The user's texts are referred to and outlive this. */
#pragma once

#include "base/arena.h"
#include "stream/property.h"

struct iv_member {
    struct iv_property *properties;
    size_t count;
    struct iv_arena arena;
};

/* The user's group.id, `invigil` where he has none: what his processes have in common. */
struct iv_str iv_member_group(const struct iv_property *kafka, size_t count);

/* The user's properties with what is put behind his group.id (`invigil` where he has none) and behind his
 * group.instance.id; behind_instance p NULL: it has none. IV_E_NOMEM: to be deinited all the same. */
iv_rc iv_member_init(struct iv_member *member, const struct iv_property *kafka, size_t count,
                     struct iv_str behind_group, struct iv_str behind_instance, struct iv_err *err);
void iv_member_deinit(struct iv_member *member);
