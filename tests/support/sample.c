/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sample.h"

#include "base/guard.h"

#include <stdio.h>
#include <string.h>

static const struct iv_event_type *type_of(const struct sample *s, const char *name)
{
    const struct iv_event_type *type = iv_catalogue_find(s->catalogue, iv_str_of(name));
    IV_CHECK(type != NULL);
    return type;
}

void sample_set(struct sample *s, const char *field, struct iv_val value)
{
    const struct iv_event_type *type = s->verdict.trigger.type;
    for (size_t i = 0; i < IV_ATTRS; i++) {
        if (iv_str_eq(iv_attr_defs[i].name, iv_str_of(field))) {
            s->trigger_slots[i] = value;
            return;
        }
    }
    for (size_t i = 0; i < type->field_count; i++) {
        if (iv_str_eq(type->fields[i].name, iv_str_of(field))) {
            s->trigger_slots[type->fields[i].slot] = value;
            return;
        }
    }
    IV_CHECK(!"the trigger's type has no such field");
}

static void init_trigger(struct sample *s)
{
    const struct iv_event_type *type = type_of(s, "token.used");
    IV_CHECK(type->slot_count <= SAMPLE_SLOTS);
    s->verdict.trigger = (struct iv_sighting){
        .source = IV_STR("urn:fleet:7"),
        .id = IV_STR("use-1"),
        .type = type,
        .time = SAMPLE_TIME,
        .origin = {IV_TELEMETRY, 1, 42, IV_STR("telemetry")},
        .digest = {.bytes = {0xab, 0xcd}, .n = 32},
        .object = {.slot_of = type->slot_of, .slots = s->trigger_slots},
    };
    sample_set(s, "id", iv_val_str(IV_STR("use-1")));
    sample_set(s, "source", iv_val_str(IV_STR("urn:fleet:7")));
    sample_set(s, "type", iv_val_str(IV_STR("token.used")));
    sample_set(s, "time", iv_val_timestamp(iv_instant_of_ns(SAMPLE_TIME)));
    sample_set(s, "agent", iv_val_str(IV_STR("agent-7")));
    sample_set(s, "tenant", iv_val_str(IV_STR("acme")));
    sample_set(s, "token_id", iv_val_str(IV_STR("t-1")));
}

static void init_rule(struct sample *s)
{
    size_t index = s->verdict.trigger.type->index;
    IV_CHECK(index / 64 < IV_COUNT(s->types));
    s->types[index / 64] |= UINT64_C(1) << (index % 64);
    s->criteria[0] = IV_STR("CC6.1");
    s->criteria[1] = IV_STR("CC6.3");
    s->rule = (struct iv_rule){
        .id = IV_STR("TOK-002"),
        .title = IV_STR("Token used after it was revoked"),
        .description = IV_STR("A revoked token that still works is an open door."),
        .pack = IV_STR("tokens"),
        .severity = IV_SEV_CRITICAL,
        .mode = IV_MODE_ENFORCE,
        .criteria = s->criteria,
        .criteria_count = 2,
        .remediate = IV_STR("revoke"),
        .form = IV_FORBID,
        .on = {.types = s->types, .streams = {[IV_TELEMETRY] = true}},
    };
    s->rules[0] = &s->rule;
}

void sample_init(struct sample *s)
{
    memset(s, 0, sizeof *s);
    IV_CHECK(iv_ok(iv_catalogue_new(&s->catalogue, NULL)));
    IV_CHECK(iv_ok(iv_catalogue_freeze(s->catalogue, NULL)));
    init_trigger(s);
    init_rule(s);
    s->baseline.name = IV_STR("default");
    s->baseline.version = IV_STR("7");
    memset(s->baseline.digest_hex, 'd', sizeof s->baseline.digest_hex - 1);
    s->baseline.catalogue = s->catalogue;
    s->baseline.rules = s->rules;
    s->baseline.rule_count = 1;
    s->waiver = (struct iv_waiver){
        .rule = IV_STR("TOK-002"), .reason = IV_STR("load test"), .by = IV_STR("ciso"), .until = IV_NS_MAX};
    s->witness = (struct iv_sighting){
        .source = IV_STR("urn:orchestrator"),
        .id = IV_STR("rev-1"),
        .type = type_of(s, "token.revoked"),
        .time = SAMPLE_TIME - 2 * IV_NS_PER_S,
        .origin = {IV_TELEMETRY, 0, 17, IV_STR("telemetry")},
        .digest = {.bytes = {0x12}, .n = 32},
    };
    s->verdict.kind = IV_VIOLATED;
    s->verdict.rule = &s->rule;
    s->verdict.witnesses = &s->witness;
    s->verdict.witness_count = 1;
    s->verdict.witness_total = 1;
}

void sample_deinit(struct sample *s)
{
    iv_catalogue_free(s->catalogue);
}

void sample_number(struct sample *s, unsigned n)
{
    memcpy(s->verdict.uid, &n, sizeof n);
}
