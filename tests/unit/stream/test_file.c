/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "stream/source.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* A file of its own for each test, by the end of its name; gone when the test's process is. */
static const char *file_with(const char *suffix, struct iv_str bytes)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/invigil-test-%d%s", (int)getpid(), suffix);
    FILE *f = fopen(path, "wb");
    cr_assert(f != NULL);
    cr_assert(eq(sz, fwrite(bytes.p, 1, bytes.n, f), bytes.n));
    cr_assert(eq(int, fclose(f), 0));
    return path;
}

static struct iv_str gzipped(struct iv_buf *buf, struct iv_str bytes)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes.p, .avail_in = (unsigned)bytes.n};
    cr_assert(eq(int, deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK));
    unsigned char out[65536];
    int rc;
    do {
        z.next_out = out;
        z.avail_out = sizeof out;
        rc = deflate(&z, Z_FINISH);
        iv_buf_add(buf, out, sizeof out - z.avail_out);
    } while (rc == Z_OK);
    (void)deflateEnd(&z);
    return iv_buf_slice(buf);
}

static struct iv_str zstd(struct iv_buf *buf, struct iv_str bytes)
{
    size_t room = ZSTD_compressBound(bytes.n);
    char *out = iv_malloc(room);
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1); /* as zstd(1) does */
    size_t n = ZSTD_compress2(ctx, out, room, bytes.p, bytes.n);
    (void)ZSTD_freeCCtx(ctx);
    cr_assert(not(ZSTD_isError(n)));
    iv_buf_add(buf, out, n);
    iv_free(out);
    return iv_buf_slice(buf);
}

/* What a file gives: "offset:record;" for each record, or only counts for large ones. */
struct reading {
    struct iv_buf text;
    size_t records;
    uint64_t bytes;
    int64_t last_offset;
    struct iv_rc_s rc;
    struct iv_err err;
};

static void read_all(struct reading *out, const char *path, size_t line_bytes)
{
    *out = (struct reading){.last_offset = -1};
    iv_buf_init(&out->text, 1u << 16);
    const struct iv_file_options options = {.stream = IV_TELEMETRY, .partition = 3, .line_bytes = line_bytes};
    struct iv_file *file = NULL;
    out->rc = iv_file_open(&file, path, &options, &out->err);
    struct iv_batch batch = {0};
    while (iv_ok(out->rc)) {
        out->rc = iv_file_next(file, &batch, &out->err);
        if (!iv_ok(out->rc) || batch.count == 0) {
            break;
        }
        for (size_t i = 0; i < batch.count; i++) {
            const struct iv_record *r = &batch.records[i];
            cr_assert(eq(int, (int)r->origin.stream, (int)IV_TELEMETRY));
            cr_assert(eq(int, r->origin.partition, 3));
            cr_assert(iv_str_eq(r->origin.topic, IV_STR("telemetry")));
            out->records++;
            out->bytes += r->bytes.n;
            out->last_offset = r->origin.offset;
            /* The padding must be there: a sanitizer would tell. */
            volatile char last = r->bytes.p[r->bytes.n + IV_RECORD_PADDING - 1];
            (void)last;
            if (r->bytes.n < 64) {
                iv_buf_printf(&out->text, "%lld:" IV_STR_FMT ";", (long long)r->origin.offset,
                              IV_STR_ARG(r->bytes));
            }
        }
    }
    iv_file_close(file);
}

static void drop(struct reading *reading, const char *path)
{
    iv_buf_deinit(&reading->text);
    (void)unlink(path);
}

/* n lines {"n":0}, {"n":1}, … */
static void numbered(struct iv_buf *buf, int n)
{
    iv_buf_init(buf, 64u << 20);
    for (int i = 0; i < n; i++) {
        iv_buf_printf(buf, "{\"n\":%d}\n", i);
    }
}

Test(file, lines_become_records_and_blank_ones_count_in_the_offsets)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"", ""},
        {"a\nb\n", "0:a;1:b;"},
        {"a\nb", "0:a;1:b;"},
        {"a\r\nb\r\n", "0:a;1:b;"},
        {"\n\na\n \t\r\n\nb\n\n", "2:a;5:b;"},
        {" a \n", "0: a ;"},
        {"\n\n\n", ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct reading got;
        const char *path = file_with(".ndjson", iv_str_of(rows[i].text));

        read_all(&got, path, 0);

        cr_expect(iv_ok(got.rc));
        cr_expect(iv_str_eq(iv_buf_slice(&got.text), iv_str_of(rows[i].want)), "row %zu: %s", i, got.text.p);
        drop(&got, path);
    }
}

Test(file, more_lines_than_a_batch_and_a_buffer_hold_come_complete)
{
    struct iv_buf text;
    numbered(&text, 100000);
    const char *path = file_with(".ndjson", iv_buf_slice(&text));
    struct reading got;

    read_all(&got, path, 0);

    cr_expect(iv_ok(got.rc));
    cr_expect(eq(sz, got.records, 100000));
    cr_expect(eq(i64, got.last_offset, 99999));
    cr_expect(eq(u64, got.bytes, text.n - 100000));
    drop(&got, path);
    iv_buf_deinit(&text);
}

Test(file, compressed_files_are_read_by_their_names_in_several_members_too)
{
    struct iv_buf text;
    numbered(&text, 100000);
    for (int kind = 0; kind < 2; kind++) {
        struct iv_buf packed;
        iv_buf_init(&packed, 64u << 20);
        (void)(kind == 0 ? gzipped : zstd)(&packed, iv_buf_slice(&text));
        (void)(kind == 0 ? gzipped : zstd)(&packed, IV_STR("{}"));
        const char *path = file_with(kind == 0 ? ".ndjson.gz" : ".ndjson.zst", iv_buf_slice(&packed));
        struct reading got;

        read_all(&got, path, 0);

        cr_expect(iv_ok(got.rc), "%s", got.err.text);
        cr_expect(eq(sz, got.records, 100001));
        cr_expect(eq(u64, got.bytes, text.n - 100000 + 2));
        drop(&got, path);
        iv_buf_deinit(&packed);
    }
    iv_buf_deinit(&text);
}

Test(file, a_bomb_of_zeros_is_one_record_of_bounded_size)
{
    static char zeros[1u << 20];
    struct iv_buf text;
    struct iv_buf packed;
    iv_buf_init(&text, 128u << 20);
    iv_buf_init(&packed, 1u << 20);
    for (int i = 0; i < 64; i++) {
        iv_buf_add(&text, zeros, sizeof zeros);
    }
    iv_buf_text(&text, "\nnext\n");
    const char *path = file_with(".zst", zstd(&packed, iv_buf_slice(&text)));
    struct reading got;

    read_all(&got, path, 1u << 20);

    cr_expect(iv_ok(got.rc));
    cr_expect(eq(sz, got.records, 2));
    cr_expect(eq(u64, got.bytes, (1u << 20) + 4));
    cr_expect(eq(str, got.text.p, "1:next;"));
    drop(&got, path);
    iv_buf_deinit(&text);
    iv_buf_deinit(&packed);
}

Test(file, a_line_is_cut_at_the_bound_and_the_next_is_whole)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"12345678\nb\n", "0:12345678;1:b;"},
        {"123456789\nb\n", "0:12345678;1:b;"},
        {"1234567890123456789\nb", "0:12345678;1:b;"},
        {"1234567890123456789", "0:12345678;"},
        {"a\n1234567890123456789\n\nb", "0:a;1:12345678;3:b;"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct reading got;
        const char *path = file_with(".ndjson", iv_str_of(rows[i].text));

        read_all(&got, path, 8);

        cr_expect(iv_str_eq(iv_buf_slice(&got.text), iv_str_of(rows[i].want)), "row %zu: %s", i, got.text.p);
        drop(&got, path);
    }
}

Test(file, a_broken_file_gives_what_stood_before_and_names_the_place)
{
    struct iv_buf text;
    numbered(&text, 100000);
    static const struct {
        const char *suffix;
        bool flip; /* else cut off */
        const char *want;
    } rows[] = {
        {".gz", false, "inside of its compressed data (the file is cut off)"},
        {".zst", false, "inside of its compressed data (the file is cut off)"},
        {".gz", true, "the gzip data is corrupt near byte "},
        {".zst", true, "the zstd data is corrupt near byte "},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_buf packed;
        iv_buf_init(&packed, 64u << 20);
        (void)(strcmp(rows[i].suffix, ".gz") == 0 ? gzipped : zstd)(&packed, iv_buf_slice(&text));
        for (size_t k = 0; rows[i].flip && k < 64; k++) {
            packed.p[packed.n * 3 / 4 + k] = (char)~packed.p[packed.n * 3 / 4 + k];
        }
        const char *path =
            file_with(rows[i].suffix, (struct iv_str){packed.p, rows[i].flip ? packed.n : packed.n * 3 / 4});
        struct reading got;

        read_all(&got, path, 0);

        cr_expect(eq(int, (int)got.rc.code, (int)IV_E_IO), "row %zu", i);
        cr_expect(strstr(got.err.text, rows[i].want) != NULL, "row %zu: %s", i, got.err.text);
        cr_expect(strstr(got.err.text, path) != NULL);
        cr_expect(gt(sz, got.records, 10000), "row %zu", i);
        drop(&got, path);
        iv_buf_deinit(&packed);
    }
    iv_buf_deinit(&text);
}

Test(file, what_is_not_compressed_although_its_name_says_so_is_refused)
{
    for (int kind = 0; kind < 2; kind++) {
        struct reading got;
        const char *path = file_with(kind == 0 ? ".gz" : ".zst", IV_STR("{\"plain\":true}\n"));

        read_all(&got, path, 0);

        cr_expect(eq(int, (int)got.rc.code, (int)IV_E_IO));
        cr_expect(strstr(got.err.text, "is corrupt near byte") != NULL, "%s", got.err.text);
        drop(&got, path);
    }
}

Test(file, what_cannot_be_opened_says_why)
{
    struct reading got;

    read_all(&got, "/nowhere/ledger.ndjson", 0);
    cr_expect(eq(int, (int)got.rc.code, (int)IV_E_IO));
    cr_expect(eq(str, got.err.text, "cannot open '/nowhere/ledger.ndjson': No such file or directory"));
    iv_buf_deinit(&got.text);

    read_all(&got, "/tmp", 0);
    cr_expect(eq(str, got.err.text, "'/tmp' is a folder, must be a file of events"));
    iv_buf_deinit(&got.text);
}

Test(file, standard_input_is_read_as_it_comes)
{
    int ends[2];
    cr_assert(eq(int, pipe(ends), 0));
    cr_assert(eq(int, dup2(ends[0], STDIN_FILENO), STDIN_FILENO));
    cr_assert(eq(int, (int)write(ends[1], "a\nb", 3), 3));
    const struct iv_file_options options = {.stream = IV_LEDGER};
    struct iv_file *file = NULL;
    struct iv_batch batch;

    cr_assert(iv_ok(iv_file_open(&file, "-", &options, NULL)));
    cr_assert(iv_ok(iv_file_next(file, &batch, NULL)));
    cr_expect(eq(sz, batch.count, 1), "the first line does not wait for the second's end");
    (void)close(ends[1]);
    cr_assert(iv_ok(iv_file_next(file, &batch, NULL)));
    cr_expect(eq(sz, batch.count, 1));
    cr_expect(iv_str_eq(batch.records[0].bytes, IV_STR("b")));
    cr_assert(iv_ok(iv_file_next(file, &batch, NULL)));
    cr_expect(eq(sz, batch.count, 0));
    cr_expect(eq(i64, iv_file_size(file), -1));
    iv_file_close(file);
}
