/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "confine/identity.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

Test(identity, a_user_brings_his_group)
{
    struct iv_identity root;
    struct iv_err err = {.text = ""};

    cr_assert(iv_ok(iv_identity_find(&root, IV_STR("root"), (struct iv_str){NULL, 0}, &err)));

    cr_expect(eq(int, (int)root.uid, 0));
    cr_expect(eq(int, (int)root.gid, 0));
    cr_expect(eq(int, root.change, geteuid() != 0 || getegid() != 0));
}

Test(identity, whoever_is_not_there_is_refused_by_name)
{
    static const struct {
        const char *user;
        const char *group;
        const char *want;
    } rows[] = {
        {"no-such-user", NULL, "there is no user 'no-such-user'"},
        {"root", "no-such-group", "there is no group 'no-such-group'"},
        {"", NULL, "the user '' is no name of 1 to 63 bytes"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_identity ignored;
        struct iv_err err = {.text = ""};

        struct iv_rc_s rc =
            iv_identity_find(&ignored, iv_str_of(rows[i].user), iv_str_of(rows[i].group), &err);

        cr_expect(eq(int, (int)rc.code, (int)IV_E_REFUSED));
        cr_expect(eq(str, err.text, (char *)rows[i].want));
    }
}
