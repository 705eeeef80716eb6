/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 1952: a file is one gzip member after the other. */
#include "base/alloc.h"
#include "base/guard.h"
#include "stream/inflow.h"

#include <zlib.h>

#define INPUT_BYTES 65536
#define GZIP_WINDOW (15 + 16) /* zlib's largest window, and its word for "a gzip header, no zlib one" */

struct gzip {
    z_stream z;
    bool inside; /* a member has begun and not ended */
    bool any;    /* a member has begun */
    unsigned char input[INPUT_BYTES];
};

static void *gzip_alloc(void *opaque, unsigned count, unsigned size)
{
    (void)opaque;
    return iv_calloc(count, size);
}

static void gzip_free(void *opaque, void *p)
{
    (void)opaque;
    iv_free(p);
}

static void gzip_close(void *state)
{
    struct gzip *g = state;
    (void)inflateEnd(&g->z);
    iv_free(g);
}

static iv_rc gzip_open(void **state, const char *path, struct iv_err *err)
{
    struct gzip *g = iv_calloc(1, sizeof *g);
    ENSURE(g != NULL, err, IV_E_NOMEM, "cannot allocate the reader of '%s'", path);
    g->z.zalloc = gzip_alloc;
    g->z.zfree = gzip_free;
    if (inflateInit2(&g->z, GZIP_WINDOW) != Z_OK) {
        iv_free(g);
        return iv_err_set(err, IV_E_NOMEM, "cannot allocate the reader of '%s'", path);
    }
    *state = g;
    return IV_OK;
}

/* Fills the input; false in *more at the file's end, which must not fall inside a member. */
static iv_rc fill(struct gzip *g, struct iv_raw *raw, bool *more, struct iv_err *err)
{
    size_t got = 0;
    TRY(iv_raw_read(raw, g->input, sizeof g->input, &got, err));
    *more = got > 0;
    ENSURE(got > 0 || (g->any && !g->inside), err, IV_E_IO,
           "%s: ends at byte %lld inside of its compressed data (the file is cut off)", raw->path,
           (long long)raw->consumed);
    g->z.next_in = g->input;
    g->z.avail_in = (unsigned)got;
    return IV_OK;
}

static iv_rc step(struct gzip *g, struct iv_raw *raw, struct iv_err *err)
{
    g->inside = true;
    g->any = true;
    int rc = inflate(&g->z, Z_NO_FLUSH);
    if (rc == Z_STREAM_END) {
        g->inside = false;
        (void)inflateReset(&g->z);
        return IV_OK;
    }
    ENSURE(rc != Z_MEM_ERROR, err, IV_E_NOMEM, "%s: no memory to decompress it", raw->path);
    ENSURE(rc == Z_OK || rc == Z_BUF_ERROR, err, IV_E_IO, "%s: the gzip data is corrupt near byte %lld: %s",
           raw->path, (long long)(raw->consumed - g->z.avail_in),
           g->z.msg != NULL ? g->z.msg : "no gzip data");
    return IV_OK;
}

static iv_rc gzip_read(void *state, struct iv_raw *raw, void *p, size_t n, size_t *out, struct iv_err *err)
{
    struct gzip *g = state;
    g->z.next_out = p;
    g->z.avail_out = (unsigned)n;
    while (g->z.avail_out == n) {
        if (g->z.avail_in == 0) {
            bool more = false;
            TRY(fill(g, raw, &more, err));
            if (!more) {
                break;
            }
        }
        TRY(step(g, raw, err));
    }
    *out = n - g->z.avail_out;
    return IV_OK;
}

const struct iv_inflow_kind iv_inflow_gzip = {
    .suffix = ".gz", .open = gzip_open, .read = gzip_read, .close = gzip_close};
