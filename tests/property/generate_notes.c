/* SPDX-License-Identifier: Apache-2.0 */
/* Places in logs, and checkpoints over them. */
#include "generate.h"

#include "base/encode.h"
#include "base/guard.h"
#include "event/checkpoint.h"

#define PLACES 4

struct generated_place generate_place(struct dice *dice, const struct world *world, iv_ns time)
{
    iv_ns since = time - WORLD_EPOCH_S * IV_NS_PER_S;
    /* A place is claimed with one hash within a quarter of the world's length alone, which is less than any
     * rule remembers: claims further apart may be taken for two entries (engine/logs.h). */
    struct generated_place place = {.log = dice_one_in(dice, 6),
                                    .seq = since * PLACES / (world->length + 1),
                                    .variant = dice_one_in(dice, 8),
                                    .before = dice_one_in(dice, 8)};
    if (dice_one_in(dice, 8)) {
        place.variant = 2 + (int)dice_below(dice, 1000);
        place.seq = (int64_t)dice_below(dice, PLACES + 1);
    }
    return place;
}

/* The variants differ in length, too. */
void generate_place_hash(struct iv_buf *out, int log, int64_t seq, int variant)
{
    unsigned char bytes[48];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] =
            (unsigned char)(1 + (size_t)(log * 64 + seq + 1 + variant * 251) * (i + 1) + (size_t)variant / 7);
    }
    iv_hex_encode(out, (struct iv_str){(const char *)bytes, variant == 0 ? 48 : 32});
}

static void add_leaf(struct iv_merkle *tree, struct iv_digester *digester, int log, int64_t seq, int variant)
{
    unsigned char bytes[48];
    struct iv_buf hex;
    iv_buf_init(&hex, 128);
    generate_place_hash(&hex, log, seq, variant);
    IV_CHECK(iv_hex_decode(bytes, hex.n / 2, iv_buf_slice(&hex)));
    iv_merkle_append(tree, digester, (struct iv_str){(const char *)bytes, hex.n / 2});
    iv_buf_deinit(&hex);
}

static struct iv_signer *make_signer(int number)
{
    unsigned char seed[32] = {(unsigned char)number, 77};
    struct iv_signer *signer;
    struct iv_err err;
    IV_CHECK(iv_ok(iv_signer_of_seed(&signer, seed, &err)));
    return signer;
}

/* log-0 and log-1 are in the keyring, log-2 is not. */
static const char *const key_names[] = {"log-0", "log-1", "log-2"};

static void spoil(struct iv_buf *note, struct dice *dice)
{
    size_t at = dice_below(dice, note->n);
    note->p[at] = (char)(note->p[at] == 'x' ? 'y' : 'x');
    while (!iv_utf8_valid(iv_buf_slice(note))) {
        note->n--;
    }
}

void generate_note(struct iv_buf *out, struct dice *dice, struct generated_place place)
{
    struct iv_digester *digester = NULL;
    struct iv_err err;
    struct iv_merkle tree = {0};
    struct iv_checkpoint checkpoint = {.origin = IV_STR("origin")};
    IV_CHECK(iv_ok(iv_digester_new(&digester, &err)));
    size_t number = dice_one_in(dice, 5) ? 1 + dice_below(dice, 2) : 0;
    checkpoint.size = dice_one_in(dice, 4) ? dice_below(dice, PLACES + 2) : (uint64_t)place.seq;
    for (int64_t i = 0; i < (int64_t)checkpoint.size; i++) {
        add_leaf(&tree, digester, place.log, i, i == place.seq - 1 ? place.before : 0);
    }
    iv_merkle_root(&checkpoint.root, digester, &tree);
    checkpoint.root.bytes[0] ^= dice_one_in(dice, 6);
    struct iv_signer *signer = make_signer((int)number);
    IV_CHECK(
        iv_ok(iv_checkpoint_sign(out, &checkpoint, iv_str_of(key_names[number]), signer, digester, &err)));
    if (dice_one_in(dice, 10)) {
        spoil(out, dice);
    }
    iv_signer_free(signer);
    iv_digester_free(digester);
}

void generate_note_keys(struct iv_buf *out, const struct world *world)
{
    iv_buf_text(out, "keys:\n");
    for (int i = 0; i < 2; i++) {
        unsigned char key[32];
        struct iv_signer *signer = make_signer(i);
        iv_signer_public_bytes(key, signer);
        iv_signer_free(signer);
        iv_buf_printf(out, "- {id: %s, role: %s, public_key: \"", key_names[i], i == 0 ? "log" : "other");
        iv_base64_encode(out, (struct iv_str){(const char *)key, sizeof key});
        iv_buf_text(out, "\", not_before: 2026-01-01T00:00:00Z, not_after: ");
        iv_ns_format(out, WORLD_EPOCH_S * IV_NS_PER_S + world->length - IV_NS_PER_S);
        iv_buf_text(out, "}\n");
    }
}
