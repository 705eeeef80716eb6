/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/member.h"

#include "base/guard.h"

#define GROUP IV_STR("group.id")
#define INSTANCE IV_STR("group.instance.id")

struct iv_str iv_member_group(const struct iv_property *kafka, size_t count)
{
    struct iv_str group = IV_STR("invigil");
    for (size_t i = 0; i < count; i++) {
        group = iv_str_eq(kafka[i].name, GROUP) ? kafka[i].value : group;
    }
    return group;
}

static iv_rc lengthen(struct iv_member *m, struct iv_property *property, struct iv_str behind,
                      struct iv_err *err)
{
    property->value =
        iv_arena_printf(&m->arena, IV_STR_FMT IV_STR_FMT, IV_STR_ARG(property->value), IV_STR_ARG(behind));
    ENSURE(property->value.p != NULL, err, IV_E_NOMEM, "cannot allocate a consumer's properties");
    return IV_OK;
}

iv_rc iv_member_init(struct iv_member *member, const struct iv_property *kafka, size_t count,
                     struct iv_str behind_group, struct iv_str behind_instance, struct iv_err *err)
{
    *member = (struct iv_member){.count = 1};
    iv_arena_init(&member->arena, 0);
    member->properties = iv_arena_zalloc(&member->arena, (count + 1) * sizeof *member->properties);
    ENSURE(member->properties != NULL, err, IV_E_NOMEM, "cannot allocate a consumer's properties");
    struct iv_property *group = &member->properties[0];
    *group = (struct iv_property){GROUP, iv_member_group(kafka, count)};
    for (size_t i = 0; i < count; i++) {
        bool is_name = iv_str_eq(kafka[i].name, INSTANCE);
        if (iv_str_eq(kafka[i].name, GROUP) || (is_name && behind_instance.p == NULL)) {
            continue;
        }
        struct iv_property *property = &member->properties[member->count++];
        *property = kafka[i];
        if (is_name) {
            TRY(lengthen(member, property, behind_instance, err));
        }
    }
    return lengthen(member, group, behind_group, err);
}

void iv_member_deinit(struct iv_member *member)
{
    iv_arena_deinit(&member->arena);
}
