/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/distinct.h"

#include "base/alloc.h"

#include <stddef.h>

void iv_distinct_deinit(struct iv_distinct *set)
{
    iv_free(set->slots);
    *set = (struct iv_distinct){0};
}

void iv_distinct_clear(struct iv_distinct *set)
{
    set->count = 0;
    set->round++;
}

static struct iv_distinct_slot *slot_for(const struct iv_distinct *set, struct iv_hash128 value)
{
    uint32_t at = (uint32_t)value.lo & (set->capacity - 1);
    struct iv_distinct_slot *slot = &set->slots[at];
    while (slot->round == set->round && (slot->value.lo != value.lo || slot->value.hi != value.hi)) {
        at = (at + 1) & (set->capacity - 1);
        slot = &set->slots[at];
    }
    return slot;
}

static bool grow(struct iv_distinct *set)
{
    struct iv_distinct old = *set;
    set->capacity = old.capacity == 0 ? 64 : old.capacity * 2;
    set->slots = iv_calloc(set->capacity, sizeof *set->slots);
    if (set->slots == NULL) {
        *set = old;
        return false;
    }
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.slots[i].round == old.round) {
            *slot_for(set, old.slots[i].value) = old.slots[i];
        }
    }
    iv_free(old.slots);
    return true;
}

bool iv_distinct_add(struct iv_distinct *set, struct iv_hash128 value)
{
    if (set->round == 0) {
        set->round = 1;
    }
    if (2 * set->count >= set->capacity && !grow(set)) {
        return false;
    }
    struct iv_distinct_slot *slot = slot_for(set, value);
    if (slot->round != set->round) {
        *slot = (struct iv_distinct_slot){value, set->round};
        set->count++;
    }
    return true;
}
