/* SPDX-License-Identifier: Apache-2.0 */
/* Each read of a file of events fails in turn, plain and compressed: all records are read, or an error names
 * the file, and those before it were delivered as they are. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "stream/source.h"
#include "support/failing_io.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define LINES 60000 /* of several reads, compressed too */

struct input {
    struct scratch dir;
    char path[128];
    struct iv_buf text;
    size_t read; /* records that came, all as they are */
    bool wrong;
};

static void make_lines(struct input *in, const char *name)
{
    uint64_t noise = 1;
    in->dir = scratch_make();
    (void)strcpy(in->path, scratch_file(&in->dir, name).p);
    iv_buf_init(&in->text, 16u << 20);
    for (int i = 0; i < LINES; i++) {
        noise = noise * UINT64_C(6364136223846793005) + 1442695040888963407u;
        iv_buf_printf(&in->text, "{\"n\":%d,\"noise\":\"%016llx\"}\n", i, (unsigned long long)noise);
    }
    cr_assert_not(iv_buf_failed(&in->text));
}

static void drop(struct input *in)
{
    iv_buf_deinit(&in->text);
    scratch_remove(&in->dir);
}

static void begin(void *ctx)
{
    struct input *in = ctx;
    in->read = 0;
    in->wrong = false;
}

/* The line that stands at the offset is the record. */
static bool is_next(const struct input *in, size_t *at, struct iv_str record)
{
    bool same = *at + record.n < in->text.n && memcmp(in->text.p + *at, record.p, record.n) == 0 &&
                in->text.p[*at + record.n] == '\n';
    *at += record.n + 1;
    return same;
}

static iv_rc read_records(struct input *in, struct iv_file *file, struct iv_err *err)
{
    size_t at = 0;
    for (;;) {
        struct iv_batch batch = {0};
        TRY(iv_file_next(file, &batch, err));
        if (batch.count == 0) {
            return IV_OK;
        }
        for (size_t i = 0; i < batch.count; i++) {
            in->wrong = in->wrong || !is_next(in, &at, batch.records[i].bytes);
            in->read++;
        }
    }
}

static struct iv_rc_s read_all(void *ctx, struct iv_err *err)
{
    struct input *in = ctx;
    const struct iv_file_options options = {.stream = IV_TELEMETRY};
    IV_AUTO(iv_file_closep) struct iv_file *file = NULL;
    TRY(iv_file_open(&file, in->path, &options, err));
    return read_records(in, file, err);
}

static void check(void *ctx, struct iv_rc_s rc, const char *where)
{
    struct input *in = ctx;
    bool all = !iv_ok(rc) || in->read == LINES;
    cr_assert(all, "%s: %zu of %d records came, and no error", where, in->read, LINES);
    cr_assert_not(in->wrong, "%s: a record is another", where);
}

static void try_all(struct input *in, struct iv_str bytes)
{
    scratch_write(&in->dir, strrchr(in->path, '/') + 1, bytes);
    io_sweep_all(&(struct io_trial){begin, read_all, check, in, in->path});
    drop(in);
}

Test(file_faults, a_plain_file_is_read_whole_or_refused)
{
    struct input in;
    make_lines(&in, "events.ndjson");
    try_all(&in, iv_buf_slice(&in.text));
}

Test(file_faults, a_gzip_file_is_read_whole_or_refused)
{
    struct input in;
    make_lines(&in, "events.ndjson.gz");
    z_stream z = {.next_in = (unsigned char *)in.text.p, .avail_in = (unsigned)in.text.n};
    cr_assert(eq(int, deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK));
    size_t room = deflateBound(&z, in.text.n);
    char *out = iv_malloc(room);
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)room;
    cr_assert(eq(int, deflate(&z, Z_FINISH), Z_STREAM_END));
    size_t n = room - z.avail_out;
    (void)deflateEnd(&z);
    try_all(&in, (struct iv_str){out, n});
    iv_free(out);
}

Test(file_faults, a_zstd_file_is_read_whole_or_refused)
{
    struct input in;
    make_lines(&in, "events.ndjson.zst");
    size_t room = ZSTD_compressBound(in.text.n);
    char *out = iv_malloc(room);
    size_t n = ZSTD_compress(out, room, in.text.p, in.text.n, 1);
    cr_assert_not(ZSTD_isError(n));
    try_all(&in, (struct iv_str){out, n});
    iv_free(out);
}
