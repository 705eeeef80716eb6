/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "event/catalogue.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct iv_catalogue *c;
static struct iv_err err;

static void setup(void)
{
    cr_assert(iv_ok(iv_catalogue_new(&c, &err)));
}

static void teardown(void)
{
    iv_catalogue_free(c);
}

TestSuite(catalogue, .init = setup, .fini = teardown);

Test(catalogue, has_every_type_of_the_contract)
{
    static const struct {
        const char *name;
        enum iv_stream stream;
        uint8_t fields;
        uint8_t required;
    } rows[] = {
        {"agent.started", IV_TELEMETRY, 3, 0},     {"agent.heartbeat", IV_TELEMETRY, 1, 0},
        {"agent.stopped", IV_TELEMETRY, 1, 0},     {"enclave.created", IV_TELEMETRY, 5, 1},
        {"enclave.accessed", IV_TELEMETRY, 10, 2}, {"enclave.terminated", IV_TELEMETRY, 2, 1},
        {"enclave.shredded", IV_TELEMETRY, 2, 1},  {"token.issued", IV_TELEMETRY, 7, 2},
        {"token.used", IV_TELEMETRY, 5, 1},        {"token.expired", IV_TELEMETRY, 1, 1},
        {"token.revoked", IV_TELEMETRY, 2, 1},     {"tool.executed", IV_TELEMETRY, 16, 2},
        {"payload.flagged", IV_TELEMETRY, 4, 2},   {"egress.opened", IV_TELEMETRY, 6, 2},
        {"resource.sampled", IV_TELEMETRY, 5, 0},  {"firmware.offered", IV_TELEMETRY, 5, 1},
        {"firmware.verified", IV_TELEMETRY, 5, 1}, {"firmware.applied", IV_TELEMETRY, 5, 1},
        {"firmware.failed", IV_TELEMETRY, 5, 1},   {"firmware.rolled_back", IV_TELEMETRY, 5, 1},
        {"key.rotated", IV_TELEMETRY, 2, 1},       {"data.stored", IV_TELEMETRY, 4, 2},
        {"data.deleted", IV_TELEMETRY, 1, 1},      {"data.shared", IV_TELEMETRY, 4, 2},
        {"tool.requested", IV_LEDGER, 5, 2},       {"tool.authorized", IV_LEDGER, 9, 3},
        {"approval.granted", IV_LEDGER, 3, 2},     {"inference.completed", IV_LEDGER, 7, 0},
        {"receipt.issued", IV_LEDGER, 2, 2},       {"config.changed", IV_LEDGER, 5, 2},
        {"change.approved", IV_LEDGER, 2, 2},      {"ledger.checkpoint", IV_LEDGER, 1, 1},
    };
    cr_assert(iv_ok(iv_catalogue_freeze(c, &err)));
    cr_expect_eq(iv_catalogue_types(c), IV_COUNT(rows));
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct iv_event_type *type = iv_catalogue_find(c, iv_str_of(rows[i].name));
        cr_assert_not_null(type, "%s", rows[i].name);
        uint8_t required = 0;
        for (size_t f = 0; f < type->field_count; f++) {
            required += type->fields[f].required ? 1 : 0;
        }
        cr_expect_eq(type->stream, rows[i].stream, "%s", rows[i].name);
        cr_expect_eq(type->field_count, rows[i].fields, "%s", rows[i].name);
        cr_expect_eq(required, rows[i].required, "%s", rows[i].name);
    }
}

Test(catalogue, gives_every_name_one_id_and_every_type_its_slots)
{
    cr_assert(iv_ok(iv_catalogue_freeze(c, &err)));
    for (size_t i = 0; i <= iv_catalogue_types(c); i++) {
        bool last = i == iv_catalogue_types(c);
        const struct iv_event_type *type = last ? iv_catalogue_unknown(c) : iv_catalogue_type(c, i);
        cr_expect_eq(type->index, i);
        size_t used = 0;
        for (uint16_t id = 0; id < iv_catalogue_names(c); id++) {
            used += type->slot_of[id] != IV_NO_SLOT ? 1 : 0;
        }
        cr_expect_eq(used, type->slot_count);
        for (size_t f = 0; f < type->field_count; f++) {
            const struct iv_field *field = &type->fields[f];
            cr_expect(iv_str_eq(iv_catalogue_name(c, field->name_id), field->name));
            cr_expect_eq(type->slot_of[field->name_id], field->slot);
            cr_expect_eq(iv_name_table_find(&type->lookup, field->name), (int)f);
        }
    }
    for (uint16_t a = 0; a < IV_ATTRS; a++) {
        cr_expect(iv_str_eq(iv_catalogue_name(c, a), iv_attr_defs[a].name));
    }
}

Test(catalogue, takes_types_that_a_baseline_declares)
{
    const struct iv_field_decl fields[] = {{IV_STR("token_id"), IV_F_STRING, true},
                                           {IV_STR("size"), IV_F_LIST_DOUBLE, false}};

    cr_assert(iv_ok(iv_catalogue_declare(c, IV_STR("my.type"), IV_LEDGER, fields, 2, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_catalogue_freeze(c, &err)));

    const struct iv_event_type *type = iv_catalogue_find(c, IV_STR("my.type"));
    const struct iv_event_type *used = iv_catalogue_find(c, IV_STR("token.used"));
    cr_assert_not_null(type);
    cr_expect_eq(type->stream, IV_LEDGER);
    cr_expect_eq(type->fields[0].name_id, used->fields[0].name_id, "one name has one id");
    cr_expect_null(iv_catalogue_find(c, IV_STR("my.types")));
    cr_expect_null(iv_catalogue_find(c, IV_STR("")));
}

Test(catalogue, refuses_what_does_not_fit)
{
    const struct iv_field_decl twice[] = {{IV_STR("a"), IV_F_INT, false}, {IV_STR("a"), IV_F_INT, false}};
    const struct iv_field_decl attribute[] = {{IV_STR("ledger_seq"), IV_F_INT, false}};
    struct iv_field_decl many[201];
    char names[201][8];
    for (size_t i = 0; i < IV_COUNT(many); i++) {
        (void)snprintf(names[i], sizeof names[i], "f%zu", i);
        many[i] = (struct iv_field_decl){iv_str_of(names[i]), IV_F_BOOL, false};
    }

    cr_expect_eq(iv_catalogue_declare(c, IV_STR("x"), IV_LEDGER, twice, 2, &err).code, IV_E_REFUSED);
    cr_expect_str_eq(err.text, "event type 'x': field 'a' stands twice");
    cr_expect_eq(iv_catalogue_declare(c, IV_STR("x"), IV_LEDGER, attribute, 1, &err).code, IV_E_REFUSED);
    cr_expect_eq(iv_catalogue_declare(c, IV_STR("token.used"), IV_LEDGER, NULL, 0, &err).code, IV_E_REFUSED);
    cr_expect_eq(iv_catalogue_declare(c, IV_STR("x"), IV_LEDGER, many, 201, &err).code, IV_E_REFUSED);
    cr_expect(iv_ok(iv_catalogue_declare(c, IV_STR("x"), IV_LEDGER, many, 200, &err)));
    cr_expect(iv_ok(iv_catalogue_freeze(c, &err)));
    cr_expect_eq(iv_catalogue_declare(c, IV_STR("y"), IV_LEDGER, NULL, 0, &err).code, IV_E_STATE);
}

Test(catalogue, names_the_types_of_fields)
{
    for (int type = IV_F_STRING; type <= IV_F_MAP; type++) {
        enum iv_ftype back = IV_F_STRING;
        cr_expect(iv_ftype_of(&back, iv_str_of(iv_ftype_name((enum iv_ftype)type))));
        cr_expect_eq(back, (enum iv_ftype)type);
    }
    enum iv_ftype none = IV_F_STRING;
    cr_expect(!iv_ftype_of(&none, IV_STR("list<map>")));
}
