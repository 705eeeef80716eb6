/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/verify_ask.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "event/chain.h"

#define FRAME_MAX ((size_t)64 << 20)

struct iv_verify_asker {
    struct iv_baseline *baseline;
    const struct iv_rule **rules;
    size_t rule_count;
    bool chains; /* one of them asks for the chain hash */
    struct iv_digester *digester;
    struct iv_params *params;
    struct iv_cel_frame frame;
};

static bool has_bit(const uint64_t *bits, size_t index)
{
    return bits != NULL && (bits[index / 64] >> (index % 64) & 1) != 0;
}

static void asker_freep(struct iv_verify_asker **asker)
{
    iv_verify_asker_free(*asker);
}

iv_rc iv_verify_asker_new(struct iv_verify_asker **out, struct iv_baseline *baseline, const uint64_t *rules,
                          struct iv_err *err)
{
    IV_AUTO(asker_freep) struct iv_verify_asker *a = iv_calloc(1, sizeof *a);
    ENSURE(a != NULL, err, IV_E_NOMEM, "cannot allocate a verifying thread");
    iv_cel_frame_init(&a->frame, FRAME_MAX);
    a->baseline = iv_baseline_ref(baseline);
    a->rules = iv_calloc(baseline->rule_count + 1, sizeof(const struct iv_rule *));
    ENSURE(a->rules != NULL, err, IV_E_NOMEM, "cannot allocate a verifying thread's rules");
    TRY(iv_digester_new(&a->digester, err));
    TRY(iv_params_new(&a->params, baseline, err));
    for (size_t i = 0; i < baseline->rule_count; i++) {
        if (has_bit(rules, i)) {
            a->rules[a->rule_count++] = baseline->rules[i];
            a->chains = a->chains || baseline->rules[i]->checks_chain;
        }
    }
    *out = TAKE(a);
    return IV_OK;
}

void iv_verify_asker_free(struct iv_verify_asker *asker)
{
    if (asker != NULL) {
        iv_cel_frame_deinit(&asker->frame);
        iv_params_free(asker->params);
        iv_digester_free(asker->digester);
        iv_baseline_unref(asker->baseline);
        iv_free(asker->rules);
        iv_free(asker);
    }
}

static bool holds(struct iv_verify_asker *a, const struct iv_cel_prog *prog)
{
    bool yes = prog == NULL;
    bool failed = false;
    if (prog != NULL) {
        iv_arena_reset(&a->frame.arena);
        iv_cel_test(prog, &a->frame, &yes, &failed, NULL);
    }
    return yes && !failed;
}

/* Recursion is bounded by the decoder's limit on depth. Any role: the rule asks for the one that it means. */
static void ask_for(const struct iv_keyring *keyring, const struct iv_val *v)
{
    static const struct iv_str any = {NULL, 0};
    const struct iv_val signature = iv_val_str(IV_STR("signature"));
    bool map = v->kind == IV_KIND_MAP;
    if (map && iv_val_map_get(v, &signature) != NULL) {
        (void)iv_receipt_valid(keyring, v, any);
    }
    size_t n = map ? 2 * (size_t)v->n : v->kind == IV_KIND_LIST ? v->n : 0;
    for (size_t i = 0; i < n; i++) {
        ask_for(keyring, &v->items[i]);
    }
}

static void ask_for_all(const struct iv_verify_asker *a, const struct iv_event *event)
{
    for (uint8_t slot = IV_ATTRS; slot < event->type->slot_count; slot++) {
        ask_for(a->baseline->keyring, &event->slots[slot]);
    }
}

/* As trigger of the rule. Answers whether the rule may ask more than was asked here. */
static bool ask_alone(struct iv_verify_asker *a, const struct iv_rule *rule)
{
    bool wanted = holds(a, rule->where);
    if (rule->form == IV_FORBID && !rule->has_partner) {
        (void)(wanted && holds(a, rule->condition));
        return false;
    }
    return wanted;
}

void iv_verify_asker_ask(struct iv_verify_asker *asker, struct iv_event *event)
{
    if (asker->chains && event->origin.stream == IV_LEDGER) {
        (void)iv_chain_valid(event, asker->digester);
    }
    uint32_t set = iv_params_resolve(asker->params, &event->object);
    if (set == IV_PARAMS_NONE) {
        return;
    }
    const struct iv_val sides[IV_EVENT_SLOTS] = {
        [IV_SLOT_TRIGGER] = {.kind = IV_KIND_OBJECT, .object = &event->object}};
    asker->frame.bank[IV_BANK_EVENTS] = sides;
    asker->frame.bank[IV_BANK_PARAMETERS] = iv_params_bank(asker->params, set);
    bool more = false;
    for (size_t i = 0; i < asker->rule_count; i++) {
        const struct iv_rule *rule = asker->rules[i];
        more = (iv_selector_has(&rule->on, event->type) && ask_alone(asker, rule)) || more;
        more = more || (rule->has_partner && iv_selector_has(&rule->with.select, event->type));
    }
    if (more) {
        ask_for_all(asker, event);
    }
}
