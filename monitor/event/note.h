/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes: a text, and signatures under named keys.
 * Owner/thread: no state; what is parsed points into the bytes.
 * Guarantee: any bytes may come in; at most IV_NOTE_SIGNATURES signatures are looked at, and each key is
 * asked once.
 * Source: C2SP signed-note v1.0.0; of the signature types Ed25519 (0x01) alone.
 * Not here: what the text says (checkpoint.h). */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "event/keyring.h"
#include "event/sign.h"

#define IV_NOTE_BYTES ((size_t)256 << 10)
#define IV_NOTE_SIGNATURES 32

struct iv_note {
    struct iv_str text;       /* with its last newline */
    struct iv_str signatures; /* the lines behind the blank one */
};

/* IV_E_SYNTAX, with what is wrong. */
iv_rc iv_note_parse(struct iv_note *out, struct iv_str bytes, struct iv_err *err);

/* True when a key of the ring signed the text: a key whose id is the signature's name, that has this role
 * (unless its p is NULL) and is valid at t. Signatures of other keys are ignored. False also where one of
 * such a key does not verify, whatever the others do. */
bool iv_note_verify(const struct iv_note *note, const struct iv_keyring *ring, struct iv_str role,
                    struct iv_instant t, struct iv_digester *digester);

/* The first four bytes of SHA-256 over name, newline, type of signature, key. */
void iv_note_key_id(unsigned char out[4], struct iv_digester *digester, struct iv_str name,
                    const unsigned char public_key[32]);

/* Appends the signed note of a text that ends in a newline. IV_E_SYNTAX: such a text or name makes no
 * note. */
iv_rc iv_note_sign(struct iv_buf *out, struct iv_str text, struct iv_str name, const struct iv_signer *signer,
                   struct iv_digester *digester, struct iv_err *err);
