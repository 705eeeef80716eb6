/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt costs on one thread: the signature alone, with all that belongs to it, and remembered.
 * usage: bench_receipts COUNT. Prints three rates, in a second of the thread's processor time. */
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "event/decode.h"
#include "event/ed25519.h"
#include "event/keyring.h"
#include "event/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct signed_receipt {
    struct iv_str message; /* its canonical form, without the signature */
    unsigned char signature[IV_ED25519_SIGNATURE_BYTES];
    struct iv_val value;
};

struct bench {
    struct iv_arena arena;
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_keyring *ring;
    struct iv_signer *signer;
    unsigned char key[IV_ED25519_KEY_BYTES];
    struct signed_receipt *receipts;
    size_t count;
};

static double processor_seconds(void)
{
    struct timespec t;
    IV_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static iv_rc prepare(struct bench *b, struct iv_err *err)
{
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct iv_buf base64;
    iv_arena_init(&b->arena, 0);
    TRY(iv_catalogue_new(&b->catalogue, err));
    TRY(iv_catalogue_freeze(b->catalogue, err));
    TRY(iv_decoder_new(&b->decoder, b->catalogue, &limits, (struct iv_hash_key){1, 2}, err));
    TRY(iv_keyring_new(&b->ring, err));
    TRY(iv_signer_generate(&b->signer, err));
    iv_signer_public_bytes(b->key, b->signer);
    iv_buf_init(&base64, 64);
    iv_base64_encode(&base64, (struct iv_str){(const char *)b->key, sizeof b->key});
    struct iv_key key = {
        .id = IV_STR("orch-1"), .role = IV_STR("orchestrator"), .public_key = iv_buf_slice(&base64)};
    struct iv_rc_s rc = iv_keyring_add(b->ring, &key, err);
    iv_buf_deinit(&base64);
    return rc;
}

/* A receipt of the usual size, written in its canonical form. */
static void sign_one(struct bench *b, struct signed_receipt *r, size_t number)
{
    struct iv_json_options options = {.as_doubles = true};
    struct iv_buf text;
    struct iv_err err;
    iv_buf_init(&text, 4096);
    iv_buf_printf(
        &text,
        "{\"agent\":\"agent-%05zu\",\"approvals\":[],\"args_sha384\":\"%096zx\",\"decision\":\"allow\","
        "\"issued_at\":\"2026-01-01T00:00:00Z\",\"key_id\":\"orch-1\",\"policy_version\":\"2026.11\","
        "\"receipt_id\":\"rcpt-%016zx\",\"request_id\":\"req-%016zx\",\"tenant\":\"tenant-%zu\","
        "\"tool\":\"read_record\"}",
        number % 10000, number, number, number, number % 40);
    r->message = iv_arena_str(&b->arena, iv_buf_slice(&text));
    iv_sign(r->signature, b->signer, r->message);
    text.n--; /* in place of the closing brace */
    iv_buf_text(&text, ",\"signature\":\"");
    iv_base64_encode(&text, (struct iv_str){(const char *)r->signature, sizeof r->signature});
    iv_buf_text(&text, "\"}");
    struct iv_str json = iv_arena_str(&b->arena, iv_buf_slice(&text));
    IV_CHECK(json.p != NULL && r->message.p != NULL &&
             iv_ok(iv_json_parse(b->decoder, json, &options, &b->arena, &r->value, &err)));
    iv_buf_deinit(&text);
}

static double rate_of_signatures(const struct bench *b)
{
    double begun = processor_seconds();
    for (size_t i = 0; i < b->count; i++) {
        const struct signed_receipt *r = &b->receipts[i];
        IV_CHECK(iv_ed25519_verify(b->key, r->message,
                                   (struct iv_str){(const char *)r->signature, sizeof r->signature}));
    }
    return (double)b->count / (processor_seconds() - begun);
}

static double rate_of_receipts(const struct bench *b)
{
    double begun = processor_seconds();
    for (size_t i = 0; i < b->count; i++) {
        IV_CHECK(iv_receipt_valid(b->ring, &b->receipts[i].value, IV_STR("orchestrator")));
    }
    return (double)b->count / (processor_seconds() - begun);
}

int main(int argc, char **argv)
{
    struct bench b = {.count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0};
    struct iv_err err;
    if (b.count == 0 || !iv_ok(prepare(&b, &err))) {
        return 2;
    }
    b.receipts = iv_calloc(b.count, sizeof *b.receipts);
    IV_CHECK(b.receipts != NULL);
    for (size_t i = 0; i < b.count; i++) {
        sign_one(&b, &b.receipts[i], i);
    }
    double signatures = rate_of_signatures(&b);
    double receipts = rate_of_receipts(&b);
    printf("%.0f %.0f %.0f\n", signatures, receipts, rate_of_receipts(&b));
    iv_free(b.receipts);
    iv_keyring_free(b.ring);
    iv_signer_free(b.signer);
    iv_decoder_free(b.decoder);
    iv_catalogue_free(b.catalogue);
    iv_arena_deinit(&b.arena);
    return 0;
}
