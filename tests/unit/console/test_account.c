/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "console/account.h"
#include "console/roles.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 64 */

Test(account, a_name_is_plain_and_not_the_console_s_own)
{
    static const struct {
        const char *name;
        bool good;
    } rows[] = {{"ann", true},       {"a", true},      {"Ann.B_c-d@example.org", true},
                {"0", true},         {LONG, true},     {LONG "a", false},
                {"", false},         {"-a", false},    {".a", false},
                {"a b", false},      {"a/b", false},   {"a\nb", false},
                {"\xc3\xa9", false}, {"token", false}, {"demo", false},
                {"nobody", false},   {"Token", true},  {"token:ci", false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_err err;
        cr_expect(eq(int, iv_ok(iv_account_name(iv_str_of(rows[i].name), &err)), rows[i].good), "'%s'",
                  rows[i].name);
    }
}

Test(account, roles_are_read_back_as_they_were_written)
{
    for (unsigned roles = 0; roles <= IV_ROLES_ALL; roles++) {
        char text[IV_ROLES_BYTES];
        struct iv_buf out;
        iv_buf_init_lent(&out, text, sizeof text, sizeof text - 1);
        iv_roles_write(&out, roles);
        cr_expect(not(iv_buf_failed(&out)));
        cr_expect(eq(u32, iv_roles_read(iv_buf_slice(&out)), roles));
        iv_buf_deinit(&out);
    }
    cr_expect(eq(u32, iv_roles_read(IV_STR("king admins  adm")), 0), "what is no role gives nothing");
}

Test(account, a_role_that_there_is_not_is_named)
{
    const struct iv_str names[] = {IV_STR_INIT("viewer"), IV_STR_INIT("king")};
    unsigned roles = 0;
    struct iv_err err;
    cr_assert(iv_ok(iv_account_roles(&roles, names, 1, &err)));
    cr_expect(eq(u32, roles, 1u << IV_ROLE_OF_VIEWER));
    cr_expect(not(iv_ok(iv_account_roles(&roles, names, 2, &err))));
    cr_expect(strstr(err.text, "'king' is no role") != NULL, "%s", err.text);
    cr_expect(not(iv_ok(iv_account_roles(&roles, names, 0, &err))));
}

Test(account, only_an_admin_may_everything_and_every_role_may_read)
{
    for (unsigned i = 0; i < IV_ROLES; i++) {
        unsigned may = iv_roles_may(1u << i);
        cr_expect_neq(may & 1u << IV_NEED_READ, 0u, "%s", iv_role_name((enum iv_user_role)i));
        cr_expect(eq(int, (may & 1u << IV_NEED_ADMIN) != 0, i == IV_ROLE_OF_ADMIN));
        cr_expect_eq(may & (1u << IV_NEED_OPEN | 1u << IV_NEED_GUEST), 0u);
    }
    cr_expect(eq(u32, iv_roles_may(0), 0));
    cr_expect(eq(u32, iv_roles_may(IV_ROLES_ALL), iv_roles_may(1u << IV_ROLE_OF_ADMIN)));
}

Test(account, a_token_lives_from_a_minute_to_a_year)
{
    static const struct {
        const char *expires; /* NULL: not asked */
        int64_t seconds;     /* 0: refused */
    } rows[] = {{NULL, 90 * 86400}, {"1m", 60},          {"30d", 30 * 86400}, {"366d", 366 * 86400},
                {"59s", 0},         {"367d", 0},         {"-1d", 0},          {"", 0},
                {"soon", 0},        {"90000000000h", 0}, {"12h", 43200}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_token token;
        char text[IV_SECRET_TEXT_BYTES];
        struct iv_err err;
        struct iv_token_asked asked = {
            .name = IV_STR("ci"), .roles = 1u << IV_ROLE_OF_VIEWER, .creator = IV_STR("ann")};
        if (rows[i].expires != NULL) {
            asked.expires = iv_str_of(rows[i].expires);
        }
        bool good = iv_ok(iv_account_token(&token, text, &asked, 1000, &err));
        cr_assert(eq(int, good, rows[i].seconds != 0), "row %zu", i);
        if (good) {
            cr_expect(eq(i64, token.expires, 1000 + rows[i].seconds * IV_NS_PER_S), "row %zu", i);
            cr_expect(eq(sz, strlen(text), 68));
            cr_expect(eq(sz, strlen(token.id), IV_TOKEN_ID_BYTES));
        }
    }
}

Test(account, a_password_that_is_too_short_or_too_long_is_refused)
{
    static char text[300];
    memset(text, 'x', sizeof text);
    static const struct {
        size_t n;
        bool good;
    } rows[] = {{0, false}, {11, false}, {12, true}, {256, true}, {257, false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_user user;
        struct iv_err err;
        struct iv_rc_s rc = iv_account_user(&user, IV_STR("ann"), 1u << IV_ROLE_OF_VIEWER,
                                            (struct iv_str){text, rows[i].n}, 1, &err);
        cr_expect(eq(int, iv_ok(rc), rows[i].good), "%zu bytes", rows[i].n);
    }
}
