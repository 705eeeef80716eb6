/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of time as spans: each from its beginning up to, not including, its end.
 * Owner/thread: plain data of whoever holds it.
 * Guarantee: the spans are in order, and no two of them touch. Where memory is out, `failed` is set and the
 * set stays as it is from then on: ask once at the end. */
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_span {
    iv_ns from;
    iv_ns until;
};

struct iv_spans {
    struct iv_span *at;
    size_t count;
    size_t room;
    bool failed;
};

/* Empty sets are zeroed. */
void iv_spans_deinit(struct iv_spans *spans);

/* An end that is not behind the beginning is no time at all. */
void iv_spans_add(struct iv_spans *spans, iv_ns from, iv_ns until);
void iv_spans_take(struct iv_spans *spans, iv_ns from, iv_ns until);
/* Leaves what is in both. */
void iv_spans_meet(struct iv_spans *spans, const struct iv_spans *other);

/* How much of [from, until) is in the set. */
iv_ns iv_spans_length(const struct iv_spans *spans, iv_ns from, iv_ns until);
bool iv_spans_have(const struct iv_spans *spans, iv_ns t);
