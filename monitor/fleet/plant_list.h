/* SPDX-License-Identifier: Apache-2.0 */
/* What was planted so far: remembered, and written as the brief lines that a replay should print.
 * Owner/thread: one thread. */
#pragma once

#include "base/arena.h"
#include "fleet/fleet.h"

struct iv_plant_list {
    struct iv_arena arena;
    struct iv_fleet_plant *items;
    size_t count;
    size_t capacity;
    bool failed; /* memory was out: the list is not whole */
};

void iv_plant_list_init(struct iv_plant_list *list);
void iv_plant_list_deinit(struct iv_plant_list *list);
/* An iv_fleet_plant_fn; ctx is the list. */
void iv_plant_list_add(void *ctx, const struct iv_fleet_plant *plant);
/* Hands over what is due by then, and forgets it. */
void iv_plant_list_take(struct iv_plant_list *list, iv_ns now, iv_fleet_plant_fn due, void *ctx);
/* One line: {"rule":…,"trigger":{"source":…,"id":…},"time":…,"witness":[…]} */
void iv_plant_write(struct iv_buf *out, const struct iv_fleet_plant *plant);
