/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/losses.h"

#include "base/alloc.h"

#include <string.h>

void iv_losses_deinit(struct iv_losses *losses)
{
    iv_free(losses->at);
    losses->at = NULL;
    losses->count = losses->room = 0;
}

/* The first of its cause that ends at its beginning or behind it. */
static uint32_t place_of(const struct iv_losses *l, const struct iv_loss *loss)
{
    uint32_t low = 0;
    uint32_t high = l->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct iv_loss *there = &l->at[middle];
        if (there->cause < loss->cause || (there->cause == loss->cause && there->until < loss->from)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_room(struct iv_losses *l)
{
    if (l->count < l->room) {
        return true;
    }
    uint32_t room = l->room == 0 ? 4 : l->room * 2;
    struct iv_loss *at = iv_realloc(l->at, room * sizeof *at);
    if (at == NULL) {
        return false;
    }
    l->at = at;
    l->room = room;
    return true;
}

static void unite(struct iv_loss *into, const struct iv_loss *other)
{
    into->from = other->from < into->from ? other->from : into->from;
    into->until = other->until > into->until ? other->until : into->until;
    into->records += other->records;
}

static void leave_out(struct iv_losses *l, uint32_t first, uint32_t end)
{
    memmove(&l->at[first], &l->at[end], (l->count - end) * sizeof *l->at);
    l->count -= end - first;
}

/* Unites the two nearest of one cause; false where each is the only one of its cause. */
static bool squeeze(struct iv_losses *l)
{
    uint32_t best = 0;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i + 1 < l->count; i++) {
        uint64_t gap = (uint64_t)l->at[i + 1].from - (uint64_t)l->at[i].until;
        if (l->at[i].cause == l->at[i + 1].cause && gap < least) {
            least = gap;
            best = i;
        }
    }
    if (least < UINT64_MAX) {
        unite(&l->at[best], &l->at[best + 1]);
        leave_out(l, best + 1, best + 2);
    }
    return least < UINT64_MAX;
}

void iv_losses_hold(struct iv_losses *losses, uint32_t most)
{
    while (losses->count > most && squeeze(losses)) {
    }
}

bool iv_losses_add(struct iv_losses *losses, const struct iv_loss *loss)
{
    struct iv_losses *l = losses;
    struct iv_loss sum = *loss;
    sum.until = sum.until > sum.from ? sum.until : iv_ns_add(sum.from, 1);
    uint32_t first = place_of(l, &sum);
    uint32_t end = first;
    for (; end < l->count && l->at[end].cause == sum.cause && l->at[end].from <= sum.until; end++) {
        unite(&sum, &l->at[end]);
    }
    if (end > first) {
        l->at[first] = sum;
        leave_out(l, first + 1, end);
        return true;
    }
    if (!has_room(l)) {
        return false;
    }
    memmove(&l->at[first + 1], &l->at[first], (l->count - first) * sizeof *l->at);
    l->at[first] = sum;
    l->count++;
    iv_losses_hold(l, l->most == 0 ? IV_LOSSES_MAX : l->most);
    return true;
}

bool iv_losses_add_within(struct iv_losses *losses, const struct iv_loss *loss, iv_ns from, iv_ns until)
{
    struct iv_loss part = *loss;
    part.from = part.from > from ? part.from : from;
    part.until = part.until < until ? part.until : until;
    return part.from >= part.until || iv_losses_add(losses, &part);
}
