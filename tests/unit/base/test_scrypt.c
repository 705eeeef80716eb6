/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/guard.h"
#include "base/scrypt.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/*= RFC 7914 12 "Test Vectors for scrypt": the first 32 of 64 bytes */
Test(scrypt, makes_what_the_standard_says)
{
    static const struct {
        const char *password;
        const char *salt;
        uint64_t cost;
        uint32_t block;
        uint32_t parallel;
        const char *want;
    } rows[] = {
        {"", "", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"},
        {"password", "NaCl", 1024, 8, 16, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"},
        {"pleaseletmein", "SodiumChloride", 16384, 8, 1,
         "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_scrypt made = {.cost = rows[i].cost, .block = rows[i].block, .parallel = rows[i].parallel};
        unsigned char want[IV_SCRYPT_BYTES];
        struct iv_err err = {.text = ""};

        struct iv_rc_s rc = iv_scrypt(&made, iv_str_of(rows[i].password), iv_str_of(rows[i].salt), &err);

        cr_assert(iv_ok(rc), "%s", err.text);
        cr_assert(iv_hex_decode(want, sizeof want, iv_str_of(rows[i].want)));
        cr_expect(memcmp(made.hash, want, sizeof want) == 0, "row %zu", i);
    }
}

Test(scrypt, knows_a_password_again_and_no_other)
{
    struct iv_scrypt made;
    struct iv_err err = {.text = ""};
    bool same = false;
    cr_assert(iv_ok(iv_scrypt_make(&made, IV_STR("correct horse"), &err)), "%s", err.text);
    cr_assert(iv_ok(iv_scrypt_is(&same, &made, IV_STR("correct horse"), &err)));
    cr_expect(same);
    cr_assert(iv_ok(iv_scrypt_is(&same, &made, IV_STR("correct horsf"), &err)));
    cr_expect(not(same));
}

Test(scrypt, of_nobody_knows_no_password)
{
    struct iv_scrypt nobody;
    struct iv_err err = {.text = ""};
    bool same = true;
    iv_scrypt_nobody(&nobody);
    cr_assert(iv_ok(iv_scrypt_is(&same, &nobody, IV_STR(""), &err)), "%s", err.text);
    cr_expect(not(same));
}

Test(scrypt, takes_a_new_salt_each_time)
{
    struct iv_scrypt first;
    struct iv_scrypt second;
    struct iv_err err;
    cr_assert(iv_ok(iv_scrypt_make(&first, IV_STR("the same password"), &err)));
    cr_assert(iv_ok(iv_scrypt_make(&second, IV_STR("the same password"), &err)));
    cr_expect(memcmp(first.hash, second.hash, sizeof first.hash) != 0);
}

Test(scrypt, refuses_parameters_that_would_take_all_memory)
{
    struct iv_scrypt made = {.cost = UINT64_C(1) << 24, .block = 8, .parallel = 1};
    struct iv_err err;
    struct iv_rc_s rc = iv_scrypt(&made, IV_STR("x"), IV_STR("y"), &err);
    cr_expect(eq(int, rc.code, IV_E_CRYPTO));
}
