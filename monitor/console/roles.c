/* SPDX-License-Identifier: Apache-2.0 */
#include "console/roles.h"

#include "base/guard.h"

#define MAY(id) (1u << IV_NEED_##id)
static const struct {
    struct iv_str name;
    unsigned may;
} roles_table[] = {
#define ROLE(id, name, permissions) {IV_STR_INIT(name), permissions},
#include "console/roles.def"
#undef ROLE
};
#undef MAY

static const char *const permission_names[IV_NEEDS] = {
#define PERMISSION(id, name) [IV_NEED_##id] = name,
#include "console/permissions.def"
#undef PERMISSION
};

unsigned iv_roles_may(unsigned roles)
{
    unsigned may = 0;
    for (unsigned i = 0; i < IV_ROLES; i++) {
        may |= (roles & 1u << i) != 0 ? roles_table[i].may : 0;
    }
    return may;
}

bool iv_role_of(enum iv_user_role *out, struct iv_str name)
{
    for (unsigned i = 0; i < IV_ROLES; i++) {
        if (iv_str_eq(roles_table[i].name, name)) {
            *out = (enum iv_user_role)i;
            return true;
        }
    }
    return false;
}

const char *iv_role_name(enum iv_user_role role)
{
    return roles_table[role].name.p;
}

void iv_roles_write(struct iv_buf *out, unsigned roles)
{
    const char *between = "";
    for (unsigned i = 0; i < IV_ROLES; i++) {
        if ((roles & 1u << i) != 0) {
            iv_buf_printf(out, "%s%s", between, roles_table[i].name.p);
            between = " ";
        }
    }
}

unsigned iv_roles_read(struct iv_str words)
{
    unsigned roles = 0;
    while (words.n > 0) {
        const char *space = memchr(words.p, ' ', words.n);
        size_t n = space == NULL ? words.n : (size_t)(space - words.p);
        enum iv_user_role role;
        if (iv_role_of(&role, (struct iv_str){words.p, n})) {
            roles |= 1u << role;
        }
        n += space == NULL ? 0 : 1;
        words = (struct iv_str){words.p + n, words.n - n};
    }
    return roles;
}

const char *iv_permission_name(enum iv_need need)
{
    return permission_names[need];
}

const char *iv_via_name(enum iv_via via)
{
    static const char *const names[] = {
        [IV_VIA_NOTHING] = "nothing",         [IV_VIA_SESSION] = "session", [IV_VIA_TOKEN] = "token",
        [IV_VIA_CERTIFICATE] = "certificate", [IV_VIA_DEMO] = "demo",       [IV_VIA_COMMAND] = "command"};
    return names[via];
}
