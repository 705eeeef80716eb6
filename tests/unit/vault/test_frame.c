/* SPDX-License-Identifier: Apache-2.0 */
#include "vault/frame.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const struct iv_vault_place places[] = {{IV_STR_INIT("ledger"), 0, 17},
                                               {IV_STR_INIT("ledger"), 3, IV_VAULT_UNREAD},
                                               {IV_STR_INIT("telemetry"), 0, 1 << 20}};

static struct iv_vault_head head_of(size_t engines)
{
    return (struct iv_vault_head){.taken = 1234567890123456789,
                                  .gone = 3000,
                                  .cell = IV_STR("front-3"),
                                  .baseline = IV_STR("0123abcd"),
                                  .places = places,
                                  .place_count = IV_COUNT(places),
                                  .notes = IV_STR("how far the exchange was"),
                                  .engine_count = engines};
}

static iv_rc append(void *ctx, struct iv_str block, struct iv_err *err)
{
    struct iv_buf *out = ctx;
    iv_buf_str(out, block);
    return iv_buf_check(out, "what is written", err);
}

static struct iv_buf written(const struct iv_str *engines, size_t count)
{
    struct iv_vault_writer w;
    struct iv_buf out;
    struct iv_err err;
    struct iv_vault_head head = head_of(count);
    iv_buf_init(&out, (size_t)64 << 20);
    iv_vault_writer_init(&w, append, &out);
    cr_assert(iv_ok(iv_vault_write_head(&w, &head, &err)), "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        cr_assert(iv_ok(iv_vault_write_engine(&w, engines[i], &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_vault_write_end(&w, &err)), "%s", err.text);
    cr_assert_eq(w.bytes, out.n);
    iv_vault_writer_deinit(&w);
    return out;
}

static struct iv_rc_s read_from(const char *p, size_t n, struct iv_err *err)
{
    struct iv_vault_reader r;
    iv_vault_reader_init(&r, (size_t)64 << 20);
    struct iv_rc_s rc = iv_vault_read(&r, (struct iv_str){p, n}, err);
    iv_vault_reader_deinit(&r);
    return rc;
}

static struct iv_buf small(void)
{
    const struct iv_str engines[] = {IV_STR("the first engine"), IV_STR("the second")};
    return written(engines, IV_COUNT(engines));
}

Test(frame, what_was_written_is_read)
{
    struct iv_buf bytes = small();
    struct iv_vault_reader r;
    struct iv_err err;
    iv_vault_reader_init(&r, (size_t)64 << 20);

    cr_assert(iv_ok(iv_vault_read(&r, iv_buf_slice(&bytes), &err)), "%s", err.text);

    cr_expect(eq(i64, r.head.taken, 1234567890123456789));
    cr_expect(eq(u64, r.head.gone, 3000));
    cr_expect(iv_str_eq(r.head.cell, IV_STR("front-3")) && iv_str_eq(r.head.baseline, IV_STR("0123abcd")));
    cr_expect(iv_str_eq(r.head.notes, IV_STR("how far the exchange was")));
    cr_assert(eq(sz, r.head.place_count, IV_COUNT(places)));
    for (size_t i = 0; i < IV_COUNT(places); i++) {
        cr_expect(iv_str_eq(r.head.places[i].topic, places[i].topic));
        cr_expect(eq(i32, r.head.places[i].partition, places[i].partition));
        cr_expect(eq(i64, r.head.places[i].next, places[i].next));
    }
    cr_expect(eq(u64, iv_vault_progress(&r.head), 3000 + 17 + (1 << 20)));
    cr_assert(eq(sz, r.head.engine_count, 2));
    cr_expect(iv_str_eq(r.engines[0], IV_STR("the first engine")) &&
              iv_str_eq(r.engines[1], IV_STR("the second")));
    iv_vault_reader_deinit(&r);
    iv_buf_deinit(&bytes);
}

Test(frame, engines_of_any_size_around_a_block_are_read)
{
    static const size_t sizes[] = {0,
                                   1,
                                   IV_VAULT_BLOCK_BYTES - 9,
                                   IV_VAULT_BLOCK_BYTES - 8,
                                   IV_VAULT_BLOCK_BYTES - 7,
                                   IV_VAULT_BLOCK_BYTES,
                                   2 * IV_VAULT_BLOCK_BYTES - 8,
                                   3 * IV_VAULT_BLOCK_BYTES + 5};
    char *p = iv_malloc(3 * IV_VAULT_BLOCK_BYTES + 5);
    for (size_t i = 0; i < 3 * IV_VAULT_BLOCK_BYTES + 5; i++) {
        p[i] = (char)(i * 31 / 7);
    }
    for (size_t i = 0; i < IV_COUNT(sizes); i++) {
        const struct iv_str engines[] = {{p, sizes[i]}, IV_STR("last")};
        struct iv_buf bytes = written(engines, 2);
        struct iv_vault_reader r;
        struct iv_err err;
        iv_vault_reader_init(&r, (size_t)64 << 20);

        cr_assert(iv_ok(iv_vault_read(&r, iv_buf_slice(&bytes), &err)), "%zu: %s", sizes[i], err.text);

        cr_expect(iv_str_eq(r.engines[0], engines[0]) && iv_str_eq(r.engines[1], engines[1]), "%zu",
                  sizes[i]);
        iv_vault_reader_deinit(&r);
        iv_buf_deinit(&bytes);
    }
    iv_free(p);
}

Test(frame, no_byte_may_be_another)
{
    struct iv_buf bytes = small();

    for (size_t i = 0; i < bytes.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct iv_err err = {.text = ""};
            bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
            cr_expect(eq(int, (int)read_from(bytes.p, bytes.n, &err).code, (int)IV_E_MALFORMED), "byte %zu",
                      i);
            cr_expect(gt(sz, strlen(err.text), 10));
            bytes.p[i] = (char)(bytes.p[i] ^ (1 << bit));
        }
    }
    iv_buf_deinit(&bytes);
}

Test(frame, cut_anywhere_it_is_refused)
{
    struct iv_buf bytes = small();

    for (size_t n = 0; n < bytes.n; n++) {
        struct iv_err err = {.text = ""};
        cr_expect(eq(int, (int)read_from(bytes.p, n, &err).code, (int)IV_E_MALFORMED), "%zu bytes", n);
        cr_expect(ne(ptr, strstr(err.text, "cut short"), NULL), "%zu bytes: %s", n, err.text);
    }
    iv_buf_deinit(&bytes);
}

Test(frame, what_follows_the_end_is_refused)
{
    struct iv_buf bytes = small();
    struct iv_err err;
    iv_buf_add(&bytes, "x", 1);

    cr_expect(eq(int, (int)read_from(bytes.p, bytes.n, &err).code, (int)IV_E_MALFORMED));
    cr_expect(ne(ptr, strstr(err.text, "more follows the end"), NULL), "%s", err.text);
    iv_buf_deinit(&bytes);
}

Test(frame, blocks_of_two_snapshots_do_not_mix)
{
    const struct iv_str one[] = {IV_STR("one")};
    const struct iv_str other[] = {IV_STR("two")};
    struct iv_buf a = written(one, 1);
    struct iv_buf b = written(other, 1);
    struct iv_err err;
    cr_assert(eq(sz, a.n, b.n));
    memcpy(a.p + a.n - 20, b.p + b.n - 20, 20); /* the last block, which has its length and its sum */

    cr_expect(eq(int, (int)read_from(a.p, a.n, &err).code, (int)IV_E_MALFORMED));
    cr_expect(ne(ptr, strstr(err.text, "its sum is not that of its bytes"), NULL), "%s", err.text);
    iv_buf_deinit(&a);
    iv_buf_deinit(&b);
}

Test(frame, a_newer_version_is_named)
{
    struct iv_buf bytes = small();
    struct iv_err err;
    bytes.p[8] = IV_VAULT_VERSION + 1;

    cr_expect(eq(int, (int)read_from(bytes.p, bytes.n, &err).code, (int)IV_E_MALFORMED));
    cr_expect(eq(str, err.text, "it is a snapshot of version 3, and this program reads version 2"));
    iv_buf_deinit(&bytes);
}

Test(frame, who_skims_keeps_nothing_and_finds_damage)
{
    struct iv_buf bytes = small();
    struct iv_vault_reader r;
    struct iv_err err;
    iv_vault_reader_init(&r, 0);
    r.skims = true;

    cr_assert(iv_ok(iv_vault_read(&r, iv_buf_slice(&bytes), &err)), "%s", err.text);
    cr_expect(eq(sz, r.content.n, 0));
    cr_expect(iv_str_eq(r.head.cell, IV_STR("front-3")));
    iv_vault_reader_deinit(&r);

    bytes.p[bytes.n - 30] ^= 1;
    iv_vault_reader_init(&r, 0);
    r.skims = true;
    cr_expect(eq(int, (int)iv_vault_read(&r, iv_buf_slice(&bytes), &err).code, (int)IV_E_MALFORMED));
    iv_vault_reader_deinit(&r);
    iv_buf_deinit(&bytes);
}
