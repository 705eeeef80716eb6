/* SPDX-License-Identifier: Apache-2.0 */
/* Any text is refused, or is a note whose parts are the text again; a checkpoint that is read is written the
 * same; what we sign verifies, and verifies no other text.
 * Input: the note. */
#include "target.h"

#include "base/encode.h"
#include "event/checkpoint.h"

#define BYTES_MAX ((size_t)1 << 20)

static struct iv_digester *digester;
static struct iv_keyring *ring;
static struct iv_signer *signer;
static struct iv_buf text;
static const struct iv_instant now = {1500, 0};

static void add_key(struct iv_str name, struct iv_str base64)
{
    struct iv_err err;
    struct iv_key key = {.id = name, .role = IV_STR("log"), .public_key = base64};
    IV_CHECK(iv_ok(iv_keyring_add(ring, &key, &err)));
}

static void set_up(void)
{
    static const unsigned char seed[32] = {1, 2, 3};
    unsigned char own[32];
    struct iv_err err;
    IV_CHECK(iv_ok(iv_digester_new(&digester, &err)) && iv_ok(iv_keyring_new(&ring, &err)));
    IV_CHECK(iv_ok(iv_signer_of_seed(&signer, seed, &err)));
    iv_buf_init(&text, BYTES_MAX);
    iv_signer_public_bytes(own, signer);
    iv_base64_encode(&text, (struct iv_str){(const char *)own, sizeof own});
    add_key(IV_STR("own"), iv_buf_slice(&text));
    /* of golang.org/x/mod and of C2SP, which signed what is in the corpus */
    add_key(IV_STR("PeterNeumann"), IV_STR("GlzZBxQ8OExB6DDFvOEqqIF+xWSaqr8sMTiLNbLXRNY="));
    add_key(IV_STR("example.com/foo"), IV_STR("6TJ5GubnqECkYWTJBHhkJtXngh3YspoA1hyucq/dTaQ="));
}

static bool verifies(const struct iv_note *note)
{
    bool by_any = iv_note_verify(note, ring, (struct iv_str){NULL, 0}, now, digester);
    IV_CHECK(by_any == iv_note_verify(note, ring, IV_STR("log"), now, digester));
    IV_CHECK(!iv_note_verify(note, ring, IV_STR("approver"), now, digester));
    return by_any;
}

static void is_note(struct iv_str bytes, const struct iv_note *note)
{
    IV_CHECK(note->text.p == bytes.p && note->text.n > 0 && note->text.p[note->text.n - 1] == '\n');
    IV_CHECK(note->signatures.p == bytes.p + note->text.n + 1);
    IV_CHECK(note->text.n + 1 + note->signatures.n == bytes.n);
    (void)verifies(note);
}

/* Whatever a note's text is, it can be signed. */
static void can_be_signed(struct iv_str signable)
{
    struct iv_note note;
    struct iv_err err;
    iv_buf_clear(&text);
    IV_CHECK(iv_ok(iv_note_sign(&text, signable, IV_STR("own"), signer, digester, &err)));
    IV_CHECK(iv_ok(iv_note_parse(&note, iv_buf_slice(&text), &err)) && iv_str_eq(note.text, signable));
    IV_CHECK(verifies(&note));
    struct iv_note other = {{note.text.p + 1, note.text.n - 1}, note.signatures};
    IV_CHECK(!verifies(&other));
}

static void is_checkpoint(struct iv_str written)
{
    struct iv_checkpoint checkpoint;
    struct iv_err err;
    if (!iv_ok(iv_checkpoint_parse(&checkpoint, written, &err))) {
        IV_CHECK(err.code == IV_E_SYNTAX && err.text[0] != '\0');
        return;
    }
    iv_buf_clear(&text);
    iv_checkpoint_write(&text, &checkpoint);
    IV_CHECK(text.n <= written.n && memcmp(text.p, written.p, text.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_str bytes = input_of(data, size);
    struct iv_note note;
    struct iv_err err;
    if (digester == NULL) {
        set_up();
    }
    is_checkpoint(bytes);
    if (!iv_ok(iv_note_parse(&note, bytes, &err))) {
        IV_CHECK(err.code == IV_E_SYNTAX && err.text[0] != '\0');
        return 0;
    }
    is_note(bytes, &note);
    is_checkpoint(note.text);
    can_be_signed(note.text);
    return 0;
}
