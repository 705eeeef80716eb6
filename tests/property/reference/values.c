/* SPDX-License-Identifier: Apache-2.0 */
#include "reference_internal.h"

#include "base/guard.h"

static bool run(struct reference *r, struct pair pair, const struct iv_cel_prog *prog, struct iv_val *out)
{
    struct iv_val events[IV_EVENT_SLOTS] = {
        [IV_SLOT_TRIGGER] = {.kind = IV_KIND_OBJECT, .object = &pair.trigger->object},
    };
    if (pair.partner != NULL) {
        events[IV_SLOT_PARTNER] = (struct iv_val){.kind = IV_KIND_OBJECT, .object = &pair.partner->object};
    }
    r->frame.bank[IV_BANK_EVENTS] = events;
    r->frame.bank[IV_BANK_PARAMETERS] =
        iv_params_bank(r->params, iv_params_resolve(r->params, &pair.trigger->object));
    r->frame.cost = 0;
    struct iv_err err;
    return iv_ok(iv_cel_run(prog, &r->frame, out, &err));
}

static bool field(const struct iv_event *event, uint16_t name_id, struct iv_val *out)
{
    uint8_t slot = event->object.slot_of[name_id];
    if (slot == IV_NO_SLOT || event->slots[slot].kind == IV_KIND_ABSENT) {
        return false;
    }
    *out = event->slots[slot];
    return true;
}

bool reference_values(struct reference *r, struct pair pair, const struct iv_terms *terms, bool of_partner,
                      struct values *out)
{
    IV_CHECK(terms->count <= TERMS_MAX);
    out->count = terms->count;
    for (size_t i = 0; i < terms->count; i++) {
        const struct iv_term *term = &terms->terms[i];
        bool there = term->prog != NULL
                         ? run(r, pair, term->prog, &out->items[i])
                         : field(of_partner ? pair.partner : pair.trigger, term->name_id, &out->items[i]);
        if (!there || out->items[i].kind == IV_KIND_NULL) {
            return false;
        }
    }
    return true;
}

bool reference_values_equal(const struct values *a, const struct values *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++) {
        equal = iv_val_eq(&a->items[i], &b->items[i]);
    }
    return equal;
}

bool reference_duration(struct reference *r, struct pair pair, const struct iv_amount *amount, iv_ns *out)
{
    struct iv_val value;
    if (amount->prog == NULL) {
        *out = amount->i;
        return true;
    }
    if (!run(r, pair, amount->prog, &value) || value.kind != IV_KIND_DURATION) {
        return false;
    }
    *out = iv_instant_to_ns_saturated(iv_val_instant(value));
    return true;
}

bool reference_value_number(const struct iv_val *value, long double *out)
{
    switch (value->kind) {
    case IV_KIND_INT:
        *out = (long double)value->i;
        return true;
    case IV_KIND_UINT:
        *out = (long double)value->u;
        return true;
    case IV_KIND_DOUBLE:
        *out = (long double)value->d;
        return true;
    default:
        return false;
    }
}

bool reference_number(struct reference *r, struct pair pair, const struct iv_amount *amount, long double *out)
{
    struct iv_val value;
    if (amount->prog == NULL) {
        *out = amount->is_double ? (long double)amount->d : (long double)amount->i;
        return true;
    }
    return run(r, pair, amount->prog, &value) && reference_value_number(&value, out);
}

bool reference_text(struct reference *r, struct pair pair, const struct iv_cel_prog *prog, struct iv_str *out)
{
    struct iv_val value;
    if (!run(r, pair, prog, &value) || value.kind != IV_KIND_STRING) {
        return false;
    }
    *out = iv_val_slice(value);
    return true;
}

bool reference_instant(struct reference *r, struct pair pair, const struct iv_cel_prog *prog, iv_ns *out)
{
    struct iv_val value;
    if (!run(r, pair, prog, &value) || value.kind != IV_KIND_TIMESTAMP) {
        return false;
    }
    *out = iv_instant_to_ns_saturated(iv_val_instant(value));
    return true;
}

bool reference_holds(struct reference *r, struct pair pair, const struct iv_cel_prog *prog)
{
    struct iv_val value;
    return prog == NULL || (run(r, pair, prog, &value) && value.kind == IV_KIND_BOOL && value.b);
}

bool reference_is_trigger(struct reference *r, const struct iv_rule *rule, const struct iv_event *event)
{
    return iv_selector_has(&rule->on, event->type) &&
           reference_holds(r, (struct pair){event, NULL}, rule->where);
}
