/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/needs.h"

#include "respond/playbook_internal.h"

struct needs {
    struct iv_str names[2 * IV_PLAYBOOK_STEPS_MAX]; /* p NULL: this machine */
    size_t count;
};

static void add(struct needs *needs, struct iv_str name)
{
    for (size_t i = 0; i < needs->count; i++) {
        if ((needs->names[i].p == NULL) == (name.p == NULL) && iv_str_eq(needs->names[i], name)) {
            return;
        }
    }
    needs->names[needs->count++] = name;
}

static void add_action(struct needs *needs, const struct iv_arguments *arguments)
{
    struct iv_str endpoint = iv_arguments_name(arguments, IV_STR("endpoint"));
    bool is_local = arguments->kind != NULL && arguments->kind->order != NULL;
    if (is_local || endpoint.p != NULL) {
        add(needs, is_local ? (struct iv_str){NULL, 0} : endpoint);
    }
}

void iv_playbooks_needs(const struct iv_playbooks *playbooks, iv_need_fn fn, void *ctx)
{
    for (size_t p = 0; p < playbooks->count; p++) {
        const struct iv_playbook *playbook = &playbooks->items[p];
        struct needs needs = {.count = 0};
        for (size_t s = 0; s < playbook->step_count; s++) {
            add_action(&needs, &playbook->steps[s].arguments);
            add_action(&needs, &playbook->steps[s].undo);
        }
        for (size_t i = 0; i < needs.count; i++) {
            fn(ctx, playbook->name, needs.names[i]);
        }
    }
}
