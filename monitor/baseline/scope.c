/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule reads, and whether the events of several tenants can meet in it. A stream's records are
 * partitioned by their tenant, so a rule whose key holds the tenant is decided within one partition. No other
 * key will do: that a token, an enclave or a request is one tenant's is what an attacker does not keep to. */
#include "baseline/rule_parts.h"

#include "base/guard.h"

static bool has_bit(const uint64_t *bits, uint16_t id)
{
    return (bits[id / 64] >> (id % 64) & 1) != 0;
}

static bool is_tenant(const struct iv_term *term)
{
    return term->prog == NULL && term->name_id == IV_ATTR_TENANT;
}

/* Whether events meet in it only if they are of one tenant: on each side the tenant stands in the same place.
 */
static bool tells_tenants_apart(const struct iv_terms *on, const struct iv_terms *with)
{
    for (uint8_t i = 0; i < on->count; i++) {
        if (is_tenant(&on->terms[i]) && i < with->count && is_tenant(&with->terms[i])) {
            return true;
        }
    }
    return false;
}

/* A stream that can carry the rule's partners, and of which only somebody who knows all partitions can tell
 * where it begins; NULL if there is none. */
static const char *partial_stream(const struct iv_baseline *baseline, const struct iv_rule *rule)
{
    for (int s = 0; s < IV_STREAMS && rule->form == IV_REQUIRE; s++) {
        if (rule->with.select.streams[s] && baseline->streams[s].history == IV_HISTORY_PARTIAL) {
            return iv_stream_name((enum iv_stream)s);
        }
    }
    return NULL;
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
    const char *partial = partial_stream(&rl->load->body->pub, rule);
    bool compares = has_bit(rl->fields[IV_SLOT_TRIGGER], IV_ATTR_TENANT) &&
                    (!partners || has_bit(rl->fields[IV_SLOT_PARTNER], IV_ATTR_TENANT));
    if (!tells_tenants_apart(key, partners ? &rule->with.key_with : key)) {
        set_scope(rl, true,
                  compares          ? "it compares tenants"
                  : key->count == 0 ? "it has no key"
                                    : "its key may occur under several tenants",
                  none, "");
    } else if (partial != NULL) {
        set_scope(rl, true, "its key holds the tenant, but where ", iv_str_of(partial),
                  " begins is known of all partitions together");
    } else {
        set_scope(rl, false, "its key holds the tenant", none, "");
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
