/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/approvers.h"

#include "event/keyring.h"

bool iv_approvers_have(struct iv_str roles, struct iv_str role)
{
    for (size_t at = 0; at < roles.n;) {
        size_t end = at;
        while (end < roles.n && roles.p[end] != ' ') {
            end++;
        }
        if (iv_str_eq((struct iv_str){roles.p + at, end - at}, role)) {
            return true;
        }
        at = end + 1;
    }
    return false;
}

static bool is_wanted(void *ctx, struct iv_str role)
{
    const struct iv_str *roles = ctx;
    return iv_approvers_have(*roles, role);
}

size_t iv_approvers_count(const struct iv_keyring *keyring, struct iv_str roles)
{
    return iv_keyring_count(keyring, is_wanted, &roles);
}
