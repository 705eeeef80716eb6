/* SPDX-License-Identifier: Apache-2.0 */
/* Event time that was lost, with its causes.
 * Purpose: a bounded list of what a stream's or a rule's coverage lacks.
 * Owner/thread: plain data of whoever holds it.
 * Guarantee: no two losses of one cause touch, and there are never more than `most`: where there would be,
 * the two of one cause that are nearest become one, which claims less coverage than there was, never more.
 * The same calls in the same order leave the same list. */
#pragma once

#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

enum iv_loss_cause {
#define LOSS(id, name, help) IV_LOSS_##id,
#include "engine/losses.def"
#undef LOSS
    IV_LOSS_CAUSES
};

static inline const char *iv_loss_name(enum iv_loss_cause cause)
{
    static const char *const names[] = {
#define LOSS(id, name, help) [IV_LOSS_##id] = name,
#include "engine/losses.def"
#undef LOSS
    };
    return names[cause];
}

static inline bool iv_loss_of(enum iv_loss_cause *out, struct iv_str name)
{
    for (int i = 0; i < IV_LOSS_CAUSES; i++) {
        if (iv_str_eq(name, iv_str_of(iv_loss_name((enum iv_loss_cause)i)))) {
            *out = (enum iv_loss_cause)i;
            return true;
        }
    }
    return false;
}

struct iv_loss {
    iv_ns from;
    iv_ns until;      /* not included; behind from */
    uint64_t records; /* that were lost, as far as is known */
    enum iv_loss_cause cause;
};

/* Twice the number of causes is the least that makes sense. */
#define IV_LOSSES_MAX 256

struct iv_losses {
    struct iv_loss *at; /* by cause, then by time */
    uint32_t count;
    uint32_t room;
    uint32_t most; /* 0: IV_LOSSES_MAX; UINT32_MAX: no bound */
};

void iv_losses_deinit(struct iv_losses *losses);
/* An instant, or an end before the beginning, is held to be the beginning's nanosecond. False when memory is
 * out. */
bool iv_losses_add(struct iv_losses *losses, const struct iv_loss *loss);
/* Unites what is nearest until there are no more than most, as far as causes allow. */
void iv_losses_hold(struct iv_losses *losses, uint32_t most);
/* The part of it within [from, until), if there is one. */
bool iv_losses_add_within(struct iv_losses *losses, const struct iv_loss *loss, iv_ns from, iv_ns until);
