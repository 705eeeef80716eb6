/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/encode.h"
#include "event/checkpoint.h"

#include <criterion/criterion.h>

/* Keys, texts and signatures of golang.org/x/mod/sumdb/note (note_test.go) and of C2SP's signed-note.md and
 * tlog-checkpoint.md: made by others, so that what agrees with them agrees with the format. */
#define GO_TEXT                                                                                              \
    "If you think cryptography is the answer to your problem,\n"                                             \
    "then you don't know what your problem is.\n"
#define PETER_SIGNED                                                                                         \
    "\xe2\x80\x94 PeterNeumann "                                                                             \
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
#define ENOCH_SIGNED                                                                                         \
    "\xe2\x80\x94 EnochRoot "                                                                                \
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
#define FOO_NOTE                                                                                             \
    "This is an example message.\n\n"                                                                        \
    "\xe2\x80\x94 example.com/foo "                                                                          \
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
#define BLOCKED "\xe2\x80\x94 PeterNeumann x08gowAAAAAAAAAA\n" /* the right id and no signature of it */

static struct iv_digester *digester;
static struct iv_keyring *ring;
static struct iv_err err;

/* The vkey's base64 is over the type's byte, 1, and the key. */
static void add_key(const char *name, const char *vkey_base64, const char *role)
{
    struct iv_buf bytes;
    struct iv_buf key;
    struct iv_instant from = {1000, 0};
    struct iv_instant to = {2000, 0};
    iv_buf_init(&bytes, 64);
    iv_buf_init(&key, 64);
    cr_assert(iv_base64_decode(&bytes, iv_str_of(vkey_base64)) && bytes.n == 33 && bytes.p[0] == 1);
    iv_base64_encode(&key, (struct iv_str){bytes.p + 1, 32});
    struct iv_key k = {.id = iv_str_of(name),
                       .role = iv_str_of(role),
                       .public_key = iv_buf_slice(&key),
                       .not_before = &from,
                       .not_after = &to};
    cr_assert(iv_ok(iv_keyring_add(ring, &k, &err)), "%s", err.text);
    iv_buf_deinit(&bytes);
    iv_buf_deinit(&key);
}

static void setup(void)
{
    cr_assert(iv_ok(iv_digester_new(&digester, &err)));
    cr_assert(iv_ok(iv_keyring_new(&ring, &err)));
    add_key("PeterNeumann", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "log");
    add_key("example.com/foo", "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "log");
}

static void teardown(void)
{
    iv_keyring_free(ring);
    iv_digester_free(digester);
}

TestSuite(note, .init = setup, .fini = teardown);

static bool verifies(const char *bytes, const char *role, int64_t t)
{
    struct iv_note note;
    return iv_ok(iv_note_parse(&note, iv_str_of(bytes), &err)) &&
           iv_note_verify(&note, ring, iv_str_of(role), (struct iv_instant){t, 0}, digester);
}

Test(note, verifies_what_others_signed)
{
    cr_expect(verifies(GO_TEXT "\n" PETER_SIGNED, NULL, 1500));
    cr_expect(verifies(FOO_NOTE, NULL, 1500));
    cr_expect(verifies(FOO_NOTE, "log", 1500));
}

Test(note, asks_for_role_and_time)
{
    static const struct {
        const char *role;
        int64_t t;
        bool valid;
    } rows[] = {{"log", 1000, true},
                {NULL, 1999, true},
                {"log", 999, false},
                {"log", 2000, false},
                {"approver", 1500, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(verifies(FOO_NOTE, rows[i].role, rows[i].t), rows[i].valid, "row %zu", i);
    }
}

Test(note, ignores_signatures_of_keys_that_it_does_not_know)
{
    cr_expect(verifies(GO_TEXT "\n" PETER_SIGNED ENOCH_SIGNED, NULL, 1500));
    cr_expect(verifies(GO_TEXT "\n" ENOCH_SIGNED PETER_SIGNED, NULL, 1500));
    cr_expect_not(verifies(GO_TEXT "\n" ENOCH_SIGNED, NULL, 1500));
    /* the same name under another key id is another key */
    cr_expect(verifies(GO_TEXT "\n\xe2\x80\x94 PeterNeumann AAAAAAAAAAAA\n" PETER_SIGNED, NULL, 1500));
}

Test(note, is_void_where_a_known_key_did_not_sign_it)
{
    cr_expect_not(verifies(GO_TEXT "\n" BLOCKED, NULL, 1500));
    cr_expect_not(verifies(GO_TEXT "\n" BLOCKED PETER_SIGNED, NULL, 1500));
    cr_expect_not(verifies("Another text.\n\n" PETER_SIGNED, NULL, 1500));
}

Test(note, any_flipped_bit_of_text_or_signature_is_noticed)
{
    char bytes[] = GO_TEXT "\n" PETER_SIGNED;
    for (size_t bit = 0; bit < 8 * (sizeof bytes - 1); bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        cr_expect_not(verifies(bytes, NULL, 1500), "bit %zu", bit);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    }
}

Test(note, refuses_what_is_no_note)
{
    static const char *const rows[] = {
        "",
        "\n",
        "\n\n",
        GO_TEXT,
        GO_TEXT "\n",
        GO_TEXT PETER_SIGNED,
        "no newline at the end of the text" PETER_SIGNED,
        "\x01" GO_TEXT "\n" PETER_SIGNED,
        "\xff" GO_TEXT "\n" PETER_SIGNED,
        GO_TEXT "\n" PETER_SIGNED "Unexpected line.\n",
        GO_TEXT "\n" PETER_SIGNED "\n",
        GO_TEXT "\n\xe2\x80\x94 Bad Name x08go/ZJkuBS\n",
        GO_TEXT "\n\xe2\x80\x94 Bad+Name x08go/ZJkuBS\n",
        GO_TEXT "\n\xe2\x80\x94 Bad\xc2\xa0Name x08go/ZJkuBS\n",
        GO_TEXT "\n\xe2\x80\x94 Bad\xe3\x80\x80Name x08go/ZJkuBS\n",
        GO_TEXT "\n\xe2\x80\x94  x08go/ZJkuBS\n",
        GO_TEXT "\n\xe2\x80\x94 Name\n",
        GO_TEXT "\n\xe2\x80\x94 Name x08g\n",
        GO_TEXT "\n\xe2\x80\x94 Name x08go/ZJkuB\n",
        GO_TEXT "\n\xe2\x80\x94 Name x08go?ZJkuBS\n",
        GO_TEXT "\n\xe2\x80\x94 Name x08go/ZJkuBS",
        GO_TEXT "\n-- Name x08go/ZJkuBS\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct iv_note note;
        struct iv_rc_s rc = iv_note_parse(&note, iv_str_of(rows[i]), &err);
        cr_expect_eq(rc.code, IV_E_SYNTAX, "row %zu", i);
    }
}

Test(note, takes_32_signatures_and_no_more)
{
    struct iv_buf bytes;
    struct iv_note note;
    iv_buf_init(&bytes, IV_NOTE_BYTES);
    iv_buf_text(&bytes, GO_TEXT "\n");
    for (int i = 0; i < IV_NOTE_SIGNATURES; i++) {
        iv_buf_text(&bytes, PETER_SIGNED);
    }
    cr_expect(verifies(bytes.p, NULL, 1500));
    iv_buf_text(&bytes, ENOCH_SIGNED);
    cr_expect_not(iv_ok(iv_note_parse(&note, iv_buf_slice(&bytes), &err)));
    iv_buf_deinit(&bytes);
}

Test(note, the_last_blank_line_ends_the_text)
{
    struct iv_note note;
    cr_assert(iv_ok(iv_note_parse(&note, iv_str_of("a\n\nb\n\n" PETER_SIGNED), &err)));
    cr_expect(iv_str_eq(note.text, IV_STR("a\n\nb\n")));
    cr_expect(iv_str_eq(note.signatures, IV_STR(PETER_SIGNED)));
}

Test(note, signs_as_others_do)
{
    /* the seed of note_test.go's private key, behind its type */
    struct iv_buf seed;
    struct iv_buf out;
    struct iv_signer *signer;
    iv_buf_init(&seed, 64);
    iv_buf_init(&out, IV_NOTE_BYTES);
    cr_assert(iv_base64_decode(&seed, iv_str_of("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")));
    cr_assert(iv_ok(iv_signer_of_seed(&signer, (const unsigned char *)seed.p + 1, &err)));

    struct iv_rc_s rc = iv_note_sign(&out, IV_STR(GO_TEXT), IV_STR("PeterNeumann"), signer, digester, &err);

    cr_expect(iv_ok(rc));
    cr_expect(iv_str_eq(iv_buf_slice(&out), IV_STR(GO_TEXT "\n" PETER_SIGNED)));
    rc = iv_note_sign(&out, IV_STR("no newline"), IV_STR("PeterNeumann"), signer, digester, &err);
    cr_expect_eq(rc.code, IV_E_SYNTAX);
    rc = iv_note_sign(&out, IV_STR(GO_TEXT), IV_STR("a b"), signer, digester, &err);
    cr_expect_eq(rc.code, IV_E_SYNTAX);
    iv_signer_free(signer);
    iv_buf_deinit(&seed);
    iv_buf_deinit(&out);
}

TestSuite(checkpoint, .init = setup, .fini = teardown);

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

Test(checkpoint, reads_the_three_lines)
{
    static const struct {
        const char *text;
        uint64_t size;
    } rows[] = {
        {"example.com/behind-the-sofa\n20852163\n" ROOT "\n", 20852163},
        {"an origin of any kind + more\n0\n" ROOT "\n", 0},
        {"o\n18446744073709551615\n" ROOT "\n", UINT64_MAX},
        {"o\n1\n" ROOT "\nan extension\nanother\n", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct iv_checkpoint c;
        cr_assert(iv_ok(iv_checkpoint_parse(&c, iv_str_of(rows[i].text), &err)), "row %zu: %s", i, err.text);
        cr_expect_eq(c.size, rows[i].size);
        cr_expect_eq(c.root.bytes[0], 0x0a);
        cr_expect_eq(c.root.bytes[31], 0x62);
    }
}

Test(checkpoint, refuses_what_is_none)
{
    static const char *const rows[] = {
        "",
        "o\n",
        "o\n1\n",
        "\n1\n" ROOT "\n",
        "o\n\n" ROOT "\n",
        "o\n01\n" ROOT "\n",
        "o\n+1\n" ROOT "\n",
        "o\n-1\n" ROOT "\n",
        "o\n1 \n" ROOT "\n",
        "o\n18446744073709551616\n" ROOT "\n",
        "o\n1\n" ROOT,
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2=\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2Ia\n",
        "o\n1\n" ROOT "\n\n",
        "o\n1\n" ROOT "\n\nmore\n",
        "o\n1\n" ROOT "\nno newline",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct iv_checkpoint c;
        struct iv_rc_s rc = iv_checkpoint_parse(&c, iv_str_of(rows[i]), &err);
        cr_expect_eq(rc.code, IV_E_SYNTAX, "row %zu", i);
    }
}

Test(checkpoint, what_is_signed_verifies_without_an_allocation)
{
    static const unsigned char seed[32] = {7};
    unsigned char key[32];
    struct iv_signer *signer;
    struct iv_buf text;
    struct iv_buf bytes;
    struct iv_note note;
    struct iv_checkpoint c = {.origin = IV_STR("log"), .size = 3, .root = {{1, 2, 3}}};
    struct iv_checkpoint back;
    iv_buf_init(&text, 64);
    iv_buf_init(&bytes, IV_NOTE_BYTES);
    cr_assert(iv_ok(iv_signer_of_seed(&signer, seed, &err)));
    iv_signer_public_bytes(key, signer);
    iv_base64_encode(&text, (struct iv_str){(const char *)key, sizeof key});
    struct iv_key k = {.id = IV_STR("log-1"), .role = IV_STR("log"), .public_key = iv_buf_slice(&text)};
    cr_assert(iv_ok(iv_keyring_add(ring, &k, &err)));

    cr_assert(iv_ok(iv_checkpoint_sign(&bytes, &c, IV_STR("log-1"), signer, digester, &err)), "%s", err.text);

    uint64_t before = iv_alloc_calls();
    cr_expect(verifies(bytes.p, "log", 0));
    cr_assert(iv_ok(iv_note_parse(&note, iv_buf_slice(&bytes), &err)));
    cr_assert(iv_ok(iv_checkpoint_parse(&back, note.text, &err)));
    cr_expect_eq(iv_alloc_calls(), before);
    cr_expect(iv_str_eq(back.origin, c.origin));
    cr_expect_eq(back.size, c.size);
    cr_expect_arr_eq(back.root.bytes, c.root.bytes, IV_MERKLE_BYTES);
    iv_signer_free(signer);
    iv_buf_deinit(&text);
    iv_buf_deinit(&bytes);
}
