/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule reads, and whether the events of several tenants can meet in it. A stream's records are
 * partitioned by their tenant, so a rule whose key tells tenants apart is decided within one partition. */
#include "baseline/rule_parts.h"

#include "base/guard.h"

static bool has_bit(const uint64_t *bits, uint16_t id)
{
    return (bits[id / 64] >> (id % 64) & 1) != 0;
}

static bool names_tenant(const struct iv_terms *terms)
{
    for (uint8_t i = 0; i < terms->count; i++) {
        if (terms->terms[i].prog == NULL && terms->terms[i].name_id == IV_ATTR_TENANT) {
            return true;
        }
    }
    return false;
}

/* A term that the platform gives to one tenant only. */
static struct iv_str bound_term(const struct iv_catalogue *catalogue, const struct iv_terms *terms)
{
    static const char *const bound[] = {"agent",     "ledger_id", "enclave_id", "token_id", "request_id",
                                        "change_id", "update_id", "object_id",  "source"};
    for (uint8_t i = 0; i < terms->count; i++) {
        for (size_t b = 0; terms->terms[i].prog == NULL && b < IV_COUNT(bound); b++) {
            struct iv_str name = iv_catalogue_name(catalogue, terms->terms[i].name_id);
            if (iv_str_eq(name, iv_str_of(bound[b]))) {
                return name;
            }
        }
    }
    return (struct iv_str){NULL, 0};
}

static void set_scope(struct iv_rule_load *rl, bool global, const char *why, struct iv_str name,
                      const char *rest)
{
    rl->rule->global = global;
    rl->rule->scope =
        iv_arena_printf(&rl->load->body->arena, "%s" IV_STR_FMT "%s", why, IV_STR_ARG(name), rest);
    if (rl->rule->scope.p == NULL) {
        iv_load_fail(rl->load, iv_err_set(rl->load->err, IV_E_NOMEM, "cannot hold the rules in memory"));
    }
}

static void judge_scope(struct iv_rule_load *rl)
{
    const struct iv_rule *rule = rl->rule;
    const struct iv_str none = IV_STR("");
    bool partners = rule->form == IV_FORBID || rule->form == IV_REQUIRE;
    if (partners && !rule->has_partner) {
        set_scope(rl, false, "the trigger is judged alone", none, "");
        return;
    }
    const struct iv_terms *key = partners ? &rule->with.key_on : &rule->by;
    bool compares = has_bit(rl->fields[IV_SLOT_TRIGGER], IV_ATTR_TENANT) &&
                    (!partners || has_bit(rl->fields[IV_SLOT_PARTNER], IV_ATTR_TENANT));
    struct iv_str bound = bound_term(rl->load->body->catalogue, key);
    if (names_tenant(key) && (!partners || names_tenant(&rule->with.key_with))) {
        set_scope(rl, false, "its key holds the tenant", none, "");
    } else if (compares) {
        set_scope(rl, true, "it compares tenants", none, "");
    } else if (bound.p != NULL) {
        set_scope(rl, false, "its key holds ", bound, ", which belongs to one tenant");
    } else if (key->count == 0) {
        set_scope(rl, true, "it has no key", none, "");
    } else {
        set_scope(rl, true, "its key may occur under several tenants", none, "");
    }
}

void iv_scope_load(struct iv_rule_load *rl)
{
    struct iv_rule *rule = rl->rule;
    uint64_t *trigger = rl->fields[IV_SLOT_TRIGGER];
    uint16_t profile = iv_profile_name_id(rl->load->body->catalogue);
    judge_scope(rl);
    /* overrides and waivers ask for these of every trigger */
    trigger[IV_ATTR_TENANT / 64] |= UINT64_C(1) << IV_ATTR_TENANT % 64;
    trigger[IV_ATTR_AGENT / 64] |= UINT64_C(1) << IV_ATTR_AGENT % 64;
    trigger[profile / 64] |= UINT64_C(1) << (profile % 64);
    rule->trigger_fields = trigger;
    rule->partner_fields = rl->fields[IV_SLOT_PARTNER];
    rule->all_trigger_fields = rl->all_fields[IV_SLOT_TRIGGER];
    rule->all_partner_fields = rl->all_fields[IV_SLOT_PARTNER];
}
