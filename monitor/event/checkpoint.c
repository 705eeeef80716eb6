/* SPDX-License-Identifier: Apache-2.0 */
#include "event/checkpoint.h"

#include "base/encode.h"
#include "base/guard.h"

#include <inttypes.h>

/* The line at the front, without its newline. False where there is none, or an empty one. */
static bool take_line(struct iv_str *line, struct iv_str *rest)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
    if (end == NULL || end == rest->p) {
        return false;
    }
    *line = (struct iv_str){rest->p, (size_t)(end - rest->p)};
    *rest = (struct iv_str){end + 1, rest->n - line->n - 1};
    return true;
}

/*= C2SP tlog-checkpoint "the ASCII decimal representation … with no leading zeroes" */
static bool read_size(uint64_t *out, struct iv_str line)
{
    uint64_t size = 0;
    if (line.p[0] == '0' && line.n > 1) {
        return false;
    }
    for (size_t i = 0; i < line.n; i++) {
        unsigned digit = (unsigned char)line.p[i] - (unsigned)'0';
        if (digit > 9 || size > (UINT64_MAX - digit) / 10) {
            return false;
        }
        size = size * 10 + digit;
    }
    *out = size;
    return true;
}

static bool read_root(struct iv_merkle_hash *out, struct iv_str line)
{
    char room[IV_MERKLE_BYTES + 4];
    struct iv_buf bytes;
    iv_buf_init_lent(&bytes, room, sizeof room, sizeof room - 1);
    bool read = iv_base64_decode(&bytes, line) && bytes.n == IV_MERKLE_BYTES;
    if (read) {
        memcpy(out->bytes, bytes.p, IV_MERKLE_BYTES);
    }
    iv_buf_deinit(&bytes);
    return read;
}

iv_rc iv_checkpoint_parse(struct iv_checkpoint *out, struct iv_str text, struct iv_err *err)
{
    struct iv_checkpoint c;
    struct iv_str line;
    ENSURE(take_line(&c.origin, &text), err, IV_E_SYNTAX, "the checkpoint lacks its origin");
    ENSURE(take_line(&line, &text) && read_size(&c.size, line), err, IV_E_SYNTAX,
           "the checkpoint's second line is not the size of a tree");
    ENSURE(take_line(&line, &text) && read_root(&c.root, line), err, IV_E_SYNTAX,
           "the checkpoint's third line is not the base64 of a root of %d bytes", IV_MERKLE_BYTES);
    while (text.n > 0) {
        ENSURE(take_line(&line, &text), err, IV_E_SYNTAX, "the checkpoint has an empty extension line");
    }
    *out = c;
    return IV_OK;
}

void iv_checkpoint_write(struct iv_buf *out, const struct iv_checkpoint *checkpoint)
{
    iv_buf_str(out, checkpoint->origin);
    iv_buf_printf(out, "\n%" PRIu64 "\n", checkpoint->size);
    iv_base64_encode(out,
                     (struct iv_str){(const char *)checkpoint->root.bytes, sizeof checkpoint->root.bytes});
    iv_buf_char(out, '\n');
}

iv_rc iv_checkpoint_sign(struct iv_buf *out, const struct iv_checkpoint *checkpoint, struct iv_str name,
                         const struct iv_signer *signer, struct iv_digester *digester, struct iv_err *err)
{
    struct iv_buf text;
    struct iv_checkpoint again;
    iv_buf_init(&text, IV_NOTE_BYTES);
    iv_checkpoint_write(&text, checkpoint);
    struct iv_rc_s rc = iv_buf_check(&text, "a checkpoint", err);
    if (iv_ok(rc)) {
        rc = iv_checkpoint_parse(&again, iv_buf_slice(&text), err);
    }
    if (iv_ok(rc)) {
        rc = iv_note_sign(out, iv_buf_slice(&text), name, signer, digester, err);
    }
    iv_buf_deinit(&text);
    return rc;
}
