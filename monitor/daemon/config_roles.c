/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config_roles.h"
#include "base/guard.h"
#include "daemon/config.h"

#include <string.h>

static const char *const role_names[] = {"detect", "respond", "console"};

unsigned iv_config_roles_read(const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (node == NULL) {
        return IV_ROLE_DETECT | IV_ROLE_RESPOND | IV_ROLE_CONSOLE;
    }
    unsigned roles = 0;
    struct iv_yaml_items items = iv_yaml_items(node, problems);
    for (size_t i = 0; i < items.count; i++) {
        size_t role = 0;
        if (iv_yaml_choice(&role, iv_yaml_item(&items, i), role_names, IV_COUNT(role_names), problems)) {
            roles |= 1U << role;
        }
    }
    if (items.count == 0) {
        iv_yaml_error(problems, node, "roles must name at least one of detect, respond, console");
    }
    return roles;
}

iv_rc iv_config_roles_parse(unsigned *out, const char *names, struct iv_err *err)
{
    unsigned roles = 0;
    for (const char *name = names; name != NULL; name = strchr(name, ',')) {
        name += *name == ',' ? 1 : 0;
        struct iv_str one = {name, strcspn(name, ",")};
        size_t role = 0;
        while (role < IV_COUNT(role_names) && !iv_str_eq(one, iv_str_of(role_names[role]))) {
            role++;
        }
        ENSURE(role < IV_COUNT(role_names), err, IV_E_REFUSED,
               "--roles: '" IV_STR_FMT
               "' is no role; they are detect, respond and console, with commas between",
               IV_STR_ARG(one));
        roles |= 1U << role;
    }
    *out = roles;
    return IV_OK;
}

void iv_config_roles(struct iv_buf *out, const struct iv_config *config)
{
    for (size_t role = 0; role < IV_COUNT(role_names); role++) {
        if ((config->roles >> role & 1U) != 0) {
            iv_buf_text(out, out->n == 0 ? "" : ",");
            iv_buf_text(out, role_names[role]);
        }
    }
}
