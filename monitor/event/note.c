/* SPDX-License-Identifier: Apache-2.0 */
#include "event/note.h"

#include "base/encode.h"
#include "base/guard.h"
#include "base/utf8.h"
#include "event/ed25519.h"

#define ED25519_NOTE '\1' /* the type of signature */
#define KEY_ID_BYTES 4
#define SIGNATURE_BYTES (KEY_ID_BYTES + IV_ED25519_SIGNATURE_BYTES)
#define EM_DASH "\xe2\x80\x94 "

struct signature {
    struct iv_str name;
    struct iv_str base64;
};

/* Takes the line at the front, without its newline. */
static struct iv_str take_line(struct iv_str *rest)
{
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end == NULL ? rest->n : (size_t)(end - rest->p);
    struct iv_str line = {rest->p, n};
    size_t taken = end == NULL ? n : n + 1;
    *rest = (struct iv_str){rest->p + taken, rest->n - taken};
    return line;
}

/* Spaces beyond ASCII, in UTF-8: U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F,
 * U+3000. */
static bool is_wide_space(struct iv_str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n >= 2 && p[0] == 0xc2) {
        return p[1] == 0x85 || p[1] == 0xa0;
    }
    if (s.n < 3) {
        return false;
    }
    if (p[0] == 0xe2 && p[1] == 0x80) {
        return (p[2] >= 0x80 && p[2] <= 0x8a) || p[2] == 0xa8 || p[2] == 0xa9 || p[2] == 0xaf;
    }
    return (p[0] == 0xe1 && p[1] == 0x9a && p[2] == 0x80) || (p[0] == 0xe2 && p[1] == 0x81 && p[2] == 0x9f) ||
           (p[0] == 0xe3 && p[1] == 0x80 && p[2] == 0x80);
}

/*= C2SP signed-note "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus" */
static bool is_key_name(struct iv_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c <= ' ' || c == '+' || is_wide_space((struct iv_str){name.p + i, name.n - i})) {
            return false;
        }
    }
    return name.n > 0 && iv_utf8_valid(name);
}

/* The bytes that it stands for; 0: it is none. */
static size_t base64_bytes(struct iv_str s)
{
    size_t padding = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool digit = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
                     c == '/';
        padding += c == '=';
        if ((!digit && c != '=') || (digit && padding > 0)) {
            return 0;
        }
    }
    return s.n == 0 || s.n % 4 != 0 || padding > 2 ? 0 : s.n / 4 * 3 - padding;
}

static iv_rc read_signature(struct signature *out, struct iv_str line, struct iv_err *err)
{
    static const struct iv_str dash = IV_STR_INIT(EM_DASH);
    bool dashed = line.n > dash.n && memcmp(line.p, dash.p, dash.n) == 0;
    ENSURE(dashed, err, IV_E_SYNTAX, "a line behind the note's last blank line is no signature");
    struct iv_str rest = {line.p + dash.n, line.n - dash.n};
    const char *space = memchr(rest.p, ' ', rest.n);
    ENSURE(space != NULL, err, IV_E_SYNTAX, "a signature of the note lacks its base64");
    size_t n = (size_t)(space - rest.p);
    *out = (struct signature){{rest.p, n}, {space + 1, rest.n - n - 1}};
    ENSURE(is_key_name(out->name), err, IV_E_SYNTAX, "a signature of the note has no valid key name");
    ENSURE(base64_bytes(out->base64) > KEY_ID_BYTES, err, IV_E_SYNTAX,
           "a signature of the note is not the base64 of a key's id and a signature");
    return IV_OK;
}

/*= C2SP signed-note "MUST be valid UTF-8 and MUST NOT contain any ASCII control characters" */
static iv_rc check_characters(struct iv_str bytes, struct iv_err *err)
{
    ENSURE(bytes.n <= IV_NOTE_BYTES, err, IV_E_SYNTAX, "the note has %zu bytes, at most %zu are read",
           bytes.n, IV_NOTE_BYTES);
    ENSURE(iv_utf8_valid(bytes), err, IV_E_SYNTAX, "the note is not UTF-8");
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        ENSURE(c >= ' ' || c == '\n', err, IV_E_SYNTAX, "the note has a control character at byte %zu", i);
    }
    return IV_OK;
}

static iv_rc check_signatures(struct iv_str lines, struct iv_err *err)
{
    ENSURE(lines.n > 0, err, IV_E_SYNTAX, "the note is not signed");
    ENSURE(lines.p[lines.n - 1] == '\n', err, IV_E_SYNTAX, "the note does not end in a newline");
    for (size_t count = 1; lines.n > 0; count++) {
        struct signature s;
        ENSURE(count <= IV_NOTE_SIGNATURES, err, IV_E_SYNTAX, "the note has more than %d signatures",
               IV_NOTE_SIGNATURES);
        TRY(read_signature(&s, take_line(&lines), err));
    }
    return IV_OK;
}

iv_rc iv_note_parse(struct iv_note *out, struct iv_str bytes, struct iv_err *err)
{
    TRY(check_characters(bytes, err));
    /*= C2SP signed-note "separated from the signatures by the last empty line in the note" */
    const char *blank = NULL;
    for (size_t i = bytes.n; i > 1 && blank == NULL; i--) {
        blank = bytes.p[i - 1] == '\n' && bytes.p[i - 2] == '\n' ? bytes.p + i - 1 : NULL;
    }
    ENSURE(blank != NULL, err, IV_E_SYNTAX, "the note has no blank line before its signatures");
    size_t text = (size_t)(blank - bytes.p);
    struct iv_note note = {{bytes.p, text}, {blank + 1, bytes.n - text - 1}};
    TRY(check_signatures(note.signatures, err));
    *out = note;
    return IV_OK;
}

void iv_note_key_id(unsigned char out[KEY_ID_BYTES], struct iv_digester *digester, struct iv_str name,
                    const unsigned char public_key[IV_ED25519_KEY_BYTES])
{
    static const char separator[] = {'\n', ED25519_NOTE};
    struct iv_digest digest;
    iv_digest_begin(digester, IV_SHA256);
    iv_digest_update(digester, name);
    iv_digest_update(digester, (struct iv_str){separator, sizeof separator});
    iv_digest_update(digester, (struct iv_str){(const char *)public_key, IV_ED25519_KEY_BYTES});
    iv_digest_end(digester, &digest);
    memcpy(out, digest.bytes, KEY_ID_BYTES);
}

enum judgement { UNKNOWN_KEY, VERIFIED, FALSE_SIGNATURE };

static enum judgement judge(const struct iv_note *note, const struct signature *s,
                            const unsigned char key[IV_ED25519_KEY_BYTES], struct iv_digester *digester)
{
    unsigned char id[KEY_ID_BYTES];
    iv_note_key_id(id, digester, s->name, key);
    char room[128]; /* for an id and an Ed25519 signature */
    struct iv_buf bytes;
    iv_buf_init_lent(&bytes, room, sizeof room, IV_NOTE_BYTES);
    enum judgement out = UNKNOWN_KEY;
    if (iv_base64_decode(&bytes, s->base64) && bytes.n >= KEY_ID_BYTES &&
        memcmp(bytes.p, id, KEY_ID_BYTES) == 0) {
        struct iv_str signature = {bytes.p + KEY_ID_BYTES, bytes.n - KEY_ID_BYTES};
        out = iv_ed25519_verify(key, note->text, signature) ? VERIFIED : FALSE_SIGNATURE;
    }
    iv_buf_deinit(&bytes);
    return out;
}

/* A name has one key in the ring, so what stands behind a name that was judged is of no interest. */
static bool was_judged(const struct iv_str *names, size_t count, struct iv_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(names[i], name)) {
            return true;
        }
    }
    return false;
}

bool iv_note_verify(const struct iv_note *note, const struct iv_keyring *ring, struct iv_str role,
                    struct iv_instant t, struct iv_digester *digester)
{
    struct iv_str judged[IV_NOTE_SIGNATURES];
    size_t count = 0;
    for (struct iv_str lines = note->signatures; lines.n > 0;) {
        struct signature s;
        unsigned char key[IV_ED25519_KEY_BYTES];
        if (!iv_ok(read_signature(&s, take_line(&lines), NULL)) || count == IV_NOTE_SIGNATURES) {
            return false;
        }
        if (was_judged(judged, count, s.name) || !iv_keyring_key(key, ring, s.name, role, t)) {
            continue;
        }
        /*= C2SP signed-note "If a signature from a known key fails to verify, clients SHOULD reject" */
        enum judgement j = judge(note, &s, key, digester);
        if (j == FALSE_SIGNATURE) {
            return false;
        }
        if (j == VERIFIED) {
            judged[count++] = s.name;
        }
    }
    return count > 0;
}

iv_rc iv_note_sign(struct iv_buf *out, struct iv_str text, struct iv_str name, const struct iv_signer *signer,
                   struct iv_digester *digester, struct iv_err *err)
{
    ENSURE(is_key_name(name), err, IV_E_SYNTAX, "'" IV_STR_FMT "' cannot be the name of a note's key",
           IV_STR_ARG(name));
    ENSURE(text.n > 0 && text.p[text.n - 1] == '\n', err, IV_E_SYNTAX,
           "the text of a note must end in a newline");
    TRY(check_characters(text, err));
    unsigned char key[IV_ED25519_KEY_BYTES];
    unsigned char bytes[SIGNATURE_BYTES];
    iv_signer_public_bytes(key, signer);
    iv_note_key_id(bytes, digester, name, key);
    iv_sign(bytes + KEY_ID_BYTES, signer, text);
    iv_buf_str(out, text);
    iv_buf_text(out, "\n" EM_DASH);
    iv_buf_str(out, name);
    iv_buf_char(out, ' ');
    iv_base64_encode(out, (struct iv_str){(const char *)bytes, sizeof bytes});
    iv_buf_char(out, '\n');
    return iv_buf_check(out, "a signed note", err);
}
