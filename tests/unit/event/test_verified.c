/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sign.h"
#include "event/verified.h"

#include <criterion/criterion.h>
#include <string.h>

static struct iv_verified *verified;
static struct iv_signer *signer;
static unsigned char key[IV_ED25519_KEY_BYTES];
static unsigned char bytes[IV_ED25519_SIGNATURE_BYTES];
static struct iv_str signature = {(const char *)bytes, sizeof bytes};

static void setup(void)
{
    static const unsigned char seed[32] = {7};
    struct iv_err err;
    cr_assert(iv_ed25519_init() && iv_ok(iv_verified_new(&verified, &err)) &&
              iv_ok(iv_signer_of_seed(&signer, seed, &err)));
    iv_signer_public_bytes(key, signer);
    iv_sign(bytes, signer, IV_STR("message"));
}

static void teardown(void)
{
    iv_signer_free(signer);
    iv_verified_free(verified);
}

TestSuite(verified, .init = setup, .fini = teardown);

static uint64_t computed(void)
{
    uint64_t n = 0;
    uint64_t known = 0;
    iv_verified_counts(verified, &n, &known);
    return n;
}

Test(verified, a_question_that_comes_again_is_not_computed_again)
{
    cr_expect(iv_verified_ask(verified, key, IV_STR("message"), signature));
    cr_expect(iv_verified_ask(verified, key, IV_STR("message"), signature));
    cr_expect(!iv_verified_ask(verified, key, IV_STR("another"), signature));
    cr_expect(!iv_verified_ask(verified, key, IV_STR("another"), signature));

    cr_expect_eq(computed(), 2);
}

Test(verified, no_other_question_passes_for_one_that_was_right)
{
    cr_assert(iv_verified_ask(verified, key, IV_STR("message"), signature));
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        cr_expect(!iv_verified_ask(verified, key, IV_STR("message"), signature), "bit %zu", bit);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    cr_expect(!iv_verified_ask(verified, key, IV_STR("messag"), signature));
    cr_expect(!iv_verified_ask(verified, key, IV_STR("message."), signature));
    key[0] ^= 1;
    cr_expect(!iv_verified_ask(verified, key, IV_STR("message"), signature));
    key[0] ^= 1;
    signature.n--;
    cr_expect(!iv_verified_ask(verified, key, IV_STR("message"), signature));
    signature.n++;
    cr_expect(iv_verified_ask(verified, key, IV_STR("message"), signature));
}

Test(verified, remembers_the_newest_and_computes_anew_what_it_forgot)
{
    enum { MORE = 3 * IV_VERIFIED_ROWS * IV_VERIFIED_WAYS };
    cr_assert(iv_verified_ask(verified, key, IV_STR("message"), signature));
    memset(bytes + 32, 0xff, 32); /* S is out of range, which is found at once */
    for (uint32_t i = 0; i < MORE; i++) {
        struct iv_str message = {(const char *)&i, sizeof i};
        cr_assert(!iv_verified_ask(verified, key, message, signature));
    }
    cr_expect_eq(computed(), 1 + MORE);
    uint32_t last = MORE - 1;
    cr_expect(!iv_verified_ask(verified, key, (struct iv_str){(const char *)&last, sizeof last}, signature));
    cr_expect_eq(computed(), 1 + MORE);

    iv_sign(bytes, signer, IV_STR("message"));
    cr_expect(iv_verified_ask(verified, key, IV_STR("message"), signature));
    cr_expect_eq(computed(), 2 + MORE);
}
