/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include "reference_internal.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"

#define ARENA_BYTES (64u << 20)

struct reference *reference_new(const struct iv_baseline *baseline)
{
    struct reference *reference = iv_calloc(1, sizeof *reference);
    struct iv_err err;
    IV_CHECK(reference != NULL);
    reference->baseline = baseline;
    IV_CHECK(iv_ok(iv_params_new(&reference->params, baseline, &err)));
    iv_cel_frame_init(&reference->frame, ARENA_BYTES);
    return reference;
}

void reference_free(struct reference *reference)
{
    if (reference != NULL) {
        iv_cel_frame_deinit(&reference->frame);
        iv_params_free(reference->params);
        iv_free(reference->events);
        iv_free(reference->findings);
        iv_free(reference);
    }
}

bool reference_is_event(const struct iv_event *event)
{
    return event->type->name.n > 0 || event->origin.stream == IV_LEDGER;
}

struct reference_horizon reference_end(const struct iv_event *const *events, size_t count)
{
    iv_ns greatest = IV_NS_MIN;
    for (size_t i = 0; i < count; i++) {
        greatest = reference_is_event(events[i]) && events[i]->time > greatest ? events[i]->time : greatest;
    }
    return (struct reference_horizon){{greatest, greatest}, {true, true}};
}

void reference_found(struct reference *r, const struct iv_rule *rule, const struct iv_event *trigger,
                     enum reference_verdict verdict)
{
    const struct iv_waiver *waiver = iv_baseline_waiver(r->baseline, rule, &trigger->object, trigger->time);
    if (r->finding_count == r->finding_capacity) {
        r->finding_capacity = r->finding_capacity * 2 + 64;
        r->findings = iv_realloc(r->findings, r->finding_capacity * sizeof *r->findings);
        IV_CHECK(r->findings != NULL);
    }
    r->findings[r->finding_count++] = (struct reference_finding){rule, trigger, verdict, waiver != NULL};
}

static bool same_identity(const struct iv_event *a, const struct iv_event *b)
{
    return iv_str_eq(iv_event_attr(a, IV_ATTR_SOURCE), iv_event_attr(b, IV_ATTR_SOURCE)) &&
           iv_str_eq(iv_event_attr(a, IV_ATTR_ID), iv_event_attr(b, IV_ATTR_ID));
}

static bool same_content(const struct iv_event *a, const struct iv_event *b)
{
    return a->content.lo == b->content.lo && a->content.hi == b->content.hi;
}

/* E: the events, duplicates removed. */
static void take_events(struct reference *r, const struct iv_event *const *events, size_t count)
{
    r->events = iv_realloc(r->events, (count + 1) * sizeof *r->events);
    IV_CHECK(r->events != NULL);
    r->event_count = 0;
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (size_t j = 0; j < r->event_count && !known; j++) {
            known = same_identity(events[i], r->events[j]) && same_content(events[i], r->events[j]);
        }
        if (!known && reference_is_event(events[i])) {
            r->events[r->event_count++] = events[i];
        }
    }
}

static bool equivocate(const struct reference *r, const struct iv_event *a, const struct iv_event *b)
{
    iv_ns apart = a->time < b->time ? b->time - a->time : a->time - b->time;
    return a != b && same_identity(a, b) && apart <= r->baseline->dedup;
}

/* Of contents of one time a fixed one is named: the least by its attributes, then by its scalar fields. */
static bool names_before(const struct iv_event *a, const struct iv_event *b)
{
    struct iv_buf sides[2];
    int order = a->time == b->time ? 0 : a->time < b->time ? -1 : 1;
    for (uint8_t i = 0; order == 0 && i < a->type->slot_count && i < b->type->slot_count; i++) {
        if (a->slots[i].kind >= IV_KIND_LIST || b->slots[i].kind >= IV_KIND_LIST) {
            continue;
        }
        for (int side = 0; side < 2; side++) {
            iv_buf_init(&sides[side], ARENA_BYTES);
            iv_val_key(&sides[side], side == 0 ? &a->slots[i] : &b->slots[i]);
        }
        order = iv_str_cmp(iv_buf_slice(&sides[0]), iv_buf_slice(&sides[1]));
        iv_buf_deinit(&sides[0]);
        iv_buf_deinit(&sides[1]);
    }
    return order < 0;
}

/* EVT-001: one violation for an identity, at the least of the times of those that share it. */
static void judge_identities(struct reference *r)
{
    for (size_t i = 0; i < r->event_count; i++) {
        bool first = true;
        bool shared = false;
        for (size_t j = 0; j < r->event_count; j++) {
            if (equivocate(r, r->events[i], r->events[j])) {
                shared = true;
                first = first && !names_before(r->events[j], r->events[i]);
            }
        }
        if (shared && first) {
            reference_found(r, r->baseline->equivocation, r->events[i], REFERENCE_VIOLATED);
        }
    }
}

static void judge_rule(struct reference *r, const struct iv_rule *rule)
{
    for (size_t i = 0; i < r->event_count; i++) {
        iv_arena_reset(&r->frame.arena);
        if (!reference_is_trigger(r, rule, r->events[i])) {
            continue;
        }
        switch (rule->form) {
        case IV_FORBID:
            reference_judge_forbid(r, rule, r->events[i]);
            break;
        case IV_REQUIRE:
            reference_judge_require(r, rule, r->events[i]);
            break;
        case IV_LIMIT:
            reference_judge_limit(r, rule, r->events[i]);
            break;
        case IV_SAME:
            reference_judge_same(r, rule, r->events[i]);
            break;
        }
    }
}

size_t reference_judge(struct reference *r, const struct iv_event *const *events, size_t count,
                       const struct reference_horizon *horizon, const struct reference_finding **findings)
{
    take_events(r, events, count);
    r->horizon = *horizon;
    r->finding_count = 0;
    for (size_t i = 0; i < r->baseline->rule_count; i++) {
        if (r->baseline->rules[i] != r->baseline->equivocation) {
            judge_rule(r, r->baseline->rules[i]);
        }
    }
    judge_identities(r);
    *findings = r->findings;
    return r->finding_count;
}
