/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused, or are a snapshot that says the same when it is written again.
 * Input: contents of blocks, each behind two bytes length. Magic, version, lengths and sums are put in here,
 * since nothing would pass them by chance; the bytes as they are are tried, too. */
#include "target.h"

#include "vault/frame.h"

#define BYTES_MAX ((size_t)4 << 20)

static struct iv_buf image;
static struct iv_buf again;

static void put_number(struct iv_buf *out, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        iv_buf_char(out, (char)(unsigned char)(value >> (8 * i)));
    }
}

/* A block of this content behind those that are there; answers the key of the next. */
static struct iv_hash_key put_block(struct iv_str content, bool first, struct iv_hash_key key)
{
    size_t start = image.n;
    if (first) {
        iv_buf_text(&image, "IVVAULT\n");
        put_number(&image, IV_VAULT_VERSION, 4);
    }
    put_number(&image, content.n, 4);
    iv_buf_str(&image, content);
    struct iv_hash128 sum = iv_hash128(key, (struct iv_str){image.p + start, image.n - start});
    put_number(&image, sum.lo, 8);
    put_number(&image, sum.hi, 8);
    return (struct iv_hash_key){sum.lo, sum.hi};
}

static void assemble(struct iv_str input)
{
    struct iv_hash_key key = {0, 0};
    iv_buf_clear(&image);
    for (bool first = true; input.n >= 2; first = false) {
        size_t n = (size_t)(unsigned char)input.p[0] | (size_t)(unsigned char)input.p[1] << 8;
        input.p += 2;
        input.n -= 2;
        n = n < input.n ? n : input.n;
        key = put_block((struct iv_str){input.p, n}, first, key);
        input.p += n;
        input.n -= n;
    }
    IV_CHECK(!iv_buf_failed(&image));
}

static iv_rc append(void *ctx, struct iv_str block, struct iv_err *err)
{
    iv_buf_str(ctx, block);
    return iv_buf_check(ctx, "what is written", err);
}

static bool same_head(const struct iv_vault_head *a, const struct iv_vault_head *b)
{
    bool same = a->taken == b->taken && a->gone == b->gone && iv_str_eq(a->cell, b->cell) &&
                iv_str_eq(a->baseline, b->baseline) && iv_str_eq(a->notes, b->notes) &&
                a->place_count == b->place_count && a->engine_count == b->engine_count;
    for (size_t i = 0; same && i < a->place_count; i++) {
        same = iv_str_eq(a->places[i].topic, b->places[i].topic) && a->places[i].next == b->places[i].next &&
               a->places[i].partition == b->places[i].partition;
    }
    return same;
}

static void write_again(const struct iv_vault_reader *r)
{
    struct iv_vault_writer w;
    struct iv_vault_reader other;
    struct iv_err err;
    iv_buf_clear(&again);
    iv_vault_writer_init(&w, append, &again);
    IV_CHECK(iv_ok(iv_vault_write_head(&w, &r->head, &err)));
    for (size_t i = 0; i < r->head.engine_count; i++) {
        IV_CHECK(iv_ok(iv_vault_write_engine(&w, r->engines[i], &err)));
    }
    IV_CHECK(iv_ok(iv_vault_write_end(&w, &err)));
    iv_vault_writer_deinit(&w);
    iv_vault_reader_init(&other, BYTES_MAX);
    IV_CHECK(iv_ok(iv_vault_read(&other, iv_buf_slice(&again), &err)));
    IV_CHECK(same_head(&r->head, &other.head));
    for (size_t i = 0; i < r->head.engine_count; i++) {
        IV_CHECK(iv_str_eq(r->engines[i], other.engines[i]));
    }
    iv_vault_reader_deinit(&other);
}

static void try(struct iv_str bytes)
{
    struct iv_vault_reader r;
    struct iv_err err = {.text = ""};
    iv_vault_reader_init(&r, BYTES_MAX);
    struct iv_rc_s rc = iv_vault_read(&r, bytes, &err);
    if (iv_ok(rc)) {
        write_again(&r);
    } else {
        IV_CHECK(rc.code == IV_E_MALFORMED && err.text[0] != '\0');
    }
    iv_vault_reader_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (image.max == 0) {
        iv_buf_init(&image, BYTES_MAX);
        iv_buf_init(&again, BYTES_MAX);
    }
    try(input_of(data, size));
    assemble(input_of(data, size));
    try(iv_buf_slice(&image));
    return 0;
}
