/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/freshness.h"

#include <stddef.h>

static bool is_within(const struct iv_freshness *s, iv_ns moment, iv_ns length)
{
    return moment != IV_NS_MIN && s->now - moment <= length;
}

bool iv_fresh(const struct iv_freshness *s, const char **why)
{
    const char *stale = NULL;
    if (!is_within(s, s->heard, IV_FRESH_HEARD)) {
        stale = "the broker does not answer";
    } else if (is_within(s, s->returned, IV_FRESH_RETURNED)) {
        stale = "the broker was away, and producers may have something to tell from before";
    } else if (s->detects && !is_within(s, s->read, IV_FRESH_READ)) {
        stale = "the streams are not read as far as they go";
    } else if (s->held != IV_NS_MAX && s->now - s->held > IV_FRESH_HELD) {
        stale = "an open transaction holds records back";
    } else if (is_within(s, s->stepped, IV_FRESH_CLOCK)) {
        stale = "the clock was set";
    }
    *why = stale == NULL ? *why : stale;
    return stale == NULL;
}
