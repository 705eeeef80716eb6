/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/breaker.h"

#define IN_A_ROW 5
#define RECENT 20
#define RECENT_MASK ((UINT32_C(1) << RECENT) - 1)
#define INTERVAL_FIRST (30 * IV_NS_PER_S)
#define INTERVAL_MAX (600 * IV_NS_PER_S)
#define PROBE_WAIT IV_NS_PER_S /* until those that are due look whether the probe was answered */

bool iv_breaker_lets(struct iv_breaker *b, iv_ns now, iv_ns *retry_at)
{
    if (!b->open) {
        return true;
    }
    if (b->probing || now < b->until) {
        *retry_at = b->probing ? iv_ns_add(now, PROBE_WAIT) : b->until;
        return false;
    }
    b->probing = true;
    return true;
}

static bool is_too_much(const struct iv_breaker *b)
{
    unsigned failures = (unsigned)__builtin_popcount(b->recent);
    return b->in_a_row >= IN_A_ROW || (b->count == RECENT && failures * 2 >= RECENT);
}

static void open_it(struct iv_breaker *b, iv_ns now)
{
    iv_ns next = b->interval == 0 ? INTERVAL_FIRST : b->interval * 2;
    b->interval = next < INTERVAL_MAX ? next : INTERVAL_MAX;
    b->until = iv_ns_add(now, b->interval);
    b->open = true;
    b->probing = false;
}

void iv_breaker_tell(struct iv_breaker *b, bool failed, iv_ns now)
{
    b->recent = (b->recent << 1 | (failed ? 1 : 0)) & RECENT_MASK;
    b->count += b->count < RECENT;
    b->in_a_row = failed ? b->in_a_row + 1 : 0;
    if (!failed && b->open) {
        *b = (struct iv_breaker){.open = false};
    } else if (failed && (b->open ? b->probing : is_too_much(b))) {
        open_it(b, now);
    }
}

void iv_breaker_forget(struct iv_breaker *b)
{
    b->probing = false;
}
