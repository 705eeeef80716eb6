/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/event_schema.h"

#include "baseline/field_type.h"

#include <stdio.h>

static void merge_types(const struct iv_cel_type **by_name, const struct iv_catalogue *catalogue,
                        const struct iv_selector *select)
{
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(catalogue, i);
        for (uint8_t f = 0; iv_selector_has(select, type) && f < type->field_count; f++) {
            const struct iv_field *field = &type->fields[f];
            const struct iv_cel_type *now = iv_field_type(field->type);
            const struct iv_cel_type **seen = &by_name[field->name_id];
            *seen = *seen == NULL || *seen == now ? now : &iv_cel_dyn;
        }
    }
}

static struct iv_str schema_name(struct iv_arena *arena, const struct iv_catalogue *catalogue,
                                 const struct iv_selector *select)
{
    char text[200] = "";
    size_t n = 0;
    size_t shown = 0;
    size_t total = 0;
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(catalogue, i);
        if (!iv_selector_has(select, type)) {
            continue;
        }
        total++;
        if (shown < 3) {
            int w = snprintf(text + n, sizeof text - n, "%s" IV_STR_FMT, shown > 0 ? ", " : "",
                             IV_STR_ARG(type->name));
            n = w > 0 && (size_t)w < sizeof text - n ? n + (size_t)w : n;
            shown++;
        }
    }
    if (total > shown) {
        (void)snprintf(text + n, sizeof text - n, " and %zu more", total - shown);
    }
    return iv_arena_str(arena, iv_str_of(total == 0 ? "event" : text));
}

const struct iv_cel_type *iv_event_schema(struct iv_arena *arena, const struct iv_catalogue *catalogue,
                                          const struct iv_selector *select)
{
    size_t names = iv_catalogue_names(catalogue);
    const struct iv_cel_type **by_name = iv_arena_zalloc(arena, (names + 1) * sizeof *by_name);
    struct iv_cel_field *fields = iv_arena_zalloc(arena, (names + 1) * sizeof *fields);
    struct iv_cel_schema *schema = iv_arena_zalloc(arena, sizeof *schema);
    struct iv_cel_type *type = iv_arena_zalloc(arena, sizeof *type);
    struct iv_str name = schema_name(arena, catalogue, select);
    if (by_name == NULL || fields == NULL || schema == NULL || type == NULL || name.p == NULL) {
        return NULL;
    }
    for (size_t a = 0; a < IV_ATTRS; a++) {
        by_name[a] = iv_field_type(iv_attr_defs[a].type);
    }
    merge_types(by_name, catalogue, select);
    schema->name = name;
    schema->fields = fields;
    for (size_t i = 0; i < names; i++) {
        if (by_name[i] != NULL) {
            fields[schema->field_count++] =
                (struct iv_cel_field){iv_catalogue_name(catalogue, (uint16_t)i), by_name[i], (uint16_t)i};
        }
    }
    *type = (struct iv_cel_type){.kind = IV_CEL_OBJECT, .schema = schema};
    return type;
}
