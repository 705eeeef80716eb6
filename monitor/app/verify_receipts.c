/* SPDX-License-Identifier: Apache-2.0 */
#include "app/verify_receipts.h"
#include "base/alloc.h"
#include "base/guard.h"

static bool has_bit(const uint64_t *bits, size_t index)
{
    return bits != NULL && (bits[index / 64] >> (index % 64) & 1) != 0;
}

static bool is_read(const struct iv_baseline *baseline, const uint64_t *rules, size_t name)
{
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule *r = baseline->rules[i];
        if (has_bit(rules, i) && (r->all_trigger_fields || r->all_partner_fields ||
                                  has_bit(r->trigger_fields, name) || has_bit(r->partner_fields, name))) {
            return true;
        }
    }
    return false;
}

iv_rc iv_verify_receipts_init(struct iv_verify_receipts *out, const struct iv_baseline *baseline,
                              const uint64_t *rules, struct iv_err *err)
{
    size_t names = iv_catalogue_names(baseline->catalogue);
    *out = (struct iv_verify_receipts){.keyring = baseline->keyring,
                                       .names = iv_calloc(names + 1, sizeof *out->names)};
    ENSURE(out->names != NULL, err, IV_E_NOMEM, "cannot allocate the names of %zu fields", names);
    for (size_t name = 0; name < names; name++) {
        if (is_read(baseline, rules, name)) {
            out->names[out->count++] = (uint16_t)name;
        }
    }
    return IV_OK;
}

void iv_verify_receipts_deinit(struct iv_verify_receipts *receipts)
{
    iv_free(receipts->names);
}

/* Recursion is bounded by the decoder's limit on depth. Any role: the rule asks for the one that it means. */
static void ask(const struct iv_keyring *keyring, const struct iv_val *v)
{
    static const struct iv_str any = {NULL, 0};
    const struct iv_val signature = iv_val_str(IV_STR("signature"));
    bool map = v->kind == IV_KIND_MAP;
    if (map && iv_val_map_get(v, &signature) != NULL) {
        (void)iv_receipt_valid(keyring, v, any);
    }
    size_t n = map ? 2 * (size_t)v->n : v->kind == IV_KIND_LIST ? v->n : 0;
    for (size_t i = 0; i < n; i++) {
        ask(keyring, &v->items[i]);
    }
}

void iv_verify_receipts_ask(const struct iv_verify_receipts *receipts, const struct iv_event *event)
{
    for (size_t i = 0; i < receipts->count; i++) {
        uint8_t slot = event->type->slot_of[receipts->names[i]];
        if (slot != IV_NO_SLOT) {
            ask(receipts->keyring, &event->slots[slot]);
        }
    }
}
