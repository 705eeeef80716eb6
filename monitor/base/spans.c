/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spans.h"

#include "base/alloc.h"

#include <string.h>

void iv_spans_deinit(struct iv_spans *spans)
{
    iv_free(spans->at);
    *spans = (struct iv_spans){NULL};
}

/* The first span that ends at t or behind it. */
static size_t first_ending_at(const struct iv_spans *s, iv_ns t)
{
    size_t low = 0;
    size_t high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->at[middle].until < t) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Puts n spans in the place of those from first up to, not including, end. */
static void replace(struct iv_spans *s, size_t first, size_t end, const struct iv_span *with, size_t n)
{
    size_t count = s->count - (end - first) + n;
    if (count > s->room) {
        size_t room = count < 8 ? 8 : count * 2;
        struct iv_span *at = iv_realloc(s->at, room * sizeof *at);
        if (at == NULL) {
            s->failed = true;
            return;
        }
        s->at = at;
        s->room = room;
    }
    if (count > 0) {
        memmove(s->at + first + n, s->at + end, (s->count - end) * sizeof *s->at);
    }
    for (size_t i = 0; i < n; i++) {
        s->at[first + i] = with[i];
    }
    s->count = count;
}

void iv_spans_add(struct iv_spans *spans, iv_ns from, iv_ns until)
{
    struct iv_spans *s = spans;
    if (s->failed || from >= until) {
        return;
    }
    size_t first = first_ending_at(s, from);
    size_t end = first;
    struct iv_span sum = {from, until};
    for (; end < s->count && s->at[end].from <= until; end++) {
        sum.from = s->at[end].from < sum.from ? s->at[end].from : sum.from;
        sum.until = s->at[end].until > sum.until ? s->at[end].until : sum.until;
    }
    replace(s, first, end, &sum, 1);
}

void iv_spans_take(struct iv_spans *spans, iv_ns from, iv_ns until)
{
    struct iv_spans *s = spans;
    if (s->failed || from >= until) {
        return;
    }
    size_t first = first_ending_at(s, from);
    if (first < s->count && s->at[first].until == from) {
        first++;
    }
    size_t end = first;
    struct iv_span left[2];
    size_t n = 0;
    for (; end < s->count && s->at[end].from < until; end++) {
        if (s->at[end].from < from) {
            left[n++] = (struct iv_span){s->at[end].from, from};
        }
        if (s->at[end].until > until) {
            left[n++] = (struct iv_span){until, s->at[end].until};
        }
    }
    if (end > first) {
        replace(s, first, end, left, n);
    }
}

void iv_spans_meet(struct iv_spans *spans, const struct iv_spans *other)
{
    spans->failed = spans->failed || other->failed;
    iv_ns from = IV_NS_MIN;
    for (size_t i = 0; i < other->count; i++) {
        iv_spans_take(spans, from, other->at[i].from);
        from = other->at[i].until;
    }
    iv_spans_take(spans, from, IV_NS_MAX);
}

iv_ns iv_spans_length(const struct iv_spans *spans, iv_ns from, iv_ns until)
{
    iv_ns sum = 0;
    for (size_t i = first_ending_at(spans, from); i < spans->count && spans->at[i].from < until; i++) {
        iv_ns begin = spans->at[i].from > from ? spans->at[i].from : from;
        iv_ns end = spans->at[i].until < until ? spans->at[i].until : until;
        sum = begin < end ? iv_ns_add(sum, iv_ns_add(end, iv_ns_negate(begin))) : sum;
    }
    return sum;
}

bool iv_spans_have(const struct iv_spans *spans, iv_ns t)
{
    size_t i = first_ending_at(spans, t);
    i += i < spans->count && spans->at[i].until == t ? 1 : 0;
    return i < spans->count && spans->at[i].from <= t;
}
