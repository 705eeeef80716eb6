/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8878: a file is one zstd frame after the other. The library's own bound on a frame's window (128 MiB)
 * bounds the memory. */
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/inflow.h"

#include <zstd.h>

#define INPUT_BYTES 65536

struct zstd {
    ZSTD_DStream *stream;
    ZSTD_inBuffer in;
    bool complete; /* the last frame has ended, and all of it was given out */
    bool held;     /* the output was full: more of it may come without further input */
    unsigned char input[INPUT_BYTES];
};

static void zstd_close(void *state)
{
    struct zstd *z = state;
    (void)ZSTD_freeDStream(z->stream);
    iv_free(z);
}

static iv_rc zstd_open(void **state, const char *path, struct iv_err *err)
{
    struct zstd *z = iv_calloc(1, sizeof *z);
    ENSURE(z != NULL, err, IV_E_NOMEM, "cannot allocate the reader of '%s'", path);
    z->stream = ZSTD_createDStream();
    if (z->stream == NULL) {
        iv_free(z);
        return iv_err_set(err, IV_E_NOMEM, "cannot allocate the reader of '%s'", path);
    }
    z->in.src = z->input;
    *state = z;
    return IV_OK;
}

static iv_rc fill(struct zstd *z, struct iv_raw *raw, bool *more, struct iv_err *err)
{
    size_t got = 0;
    TRY(iv_raw_read(raw, z->input, sizeof z->input, &got, err));
    *more = got > 0;
    ENSURE(got > 0 || z->complete, err, IV_E_IO,
           "%s: ends at byte %lld inside of its compressed data (the file is cut off)", raw->path,
           (long long)raw->consumed);
    z->in.size = got;
    z->in.pos = 0;
    return IV_OK;
}

static iv_rc zstd_read(void *state, struct iv_raw *raw, void *p, size_t n, size_t *out, struct iv_err *err)
{
    struct zstd *z = state;
    ZSTD_outBuffer to = {.dst = p, .size = n};
    while (to.pos == 0) {
        if (z->in.pos == z->in.size && !z->held) {
            bool more = false;
            TRY(fill(z, raw, &more, err));
            if (!more) {
                break;
            }
        }
        size_t rc = ZSTD_decompressStream(z->stream, &to, &z->in);
        ENSURE(!ZSTD_isError(rc), err, IV_E_IO, "%s: the zstd data is corrupt near byte %lld: %s", raw->path,
               (long long)raw->consumed - (long long)(z->in.size - z->in.pos), ZSTD_getErrorName(rc));
        z->complete = rc == 0;
        z->held = rc != 0 && to.pos == to.size;
    }
    *out = to.pos;
    return IV_OK;
}

const struct iv_inflow_kind iv_inflow_zstd = {
    .suffix = ".zst", .open = zstd_open, .read = zstd_read, .close = zstd_close};
