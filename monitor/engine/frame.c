/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/frame.h"

#include "base/guard.h"

#include <string.h>

#define LENGTH_AT (IV_FRAME_MAGIC_BYTES + 4)

size_t iv_frame_open(struct iv_buf *out, const struct iv_frame *frame)
{
    size_t start = out->n;
    unsigned char version[4];
    for (unsigned i = 0; i < sizeof version; i++) {
        version[i] = (unsigned char)(frame->version >> (8 * i));
    }
    iv_buf_add(out, frame->magic, IV_FRAME_MAGIC_BYTES);
    iv_buf_add(out, version, sizeof version);
    iv_image_u64(out, 0);
    return start;
}

struct iv_rc_s iv_frame_close(struct iv_buf *out, size_t start, const struct iv_frame *frame,
                              struct iv_err *err)
{
    TRY(iv_buf_check(out, frame->full, err));
    iv_image_put_u64(out->p + start + LENGTH_AT, out->n - start + IV_FRAME_SUM_BYTES);
    iv_image_hash(out, iv_hash128((struct iv_hash_key){0}, (struct iv_str){out->p + start, out->n - start}));
    return iv_buf_check(out, frame->full, err);
}

static uint32_t version_of(struct iv_str bytes)
{
    uint32_t version = 0;
    for (size_t i = 0; i < 4; i++) {
        version |= (uint32_t)(unsigned char)bytes.p[IV_FRAME_MAGIC_BYTES + i] << (8 * i);
    }
    return version;
}

struct iv_rc_s iv_frame_read(struct iv_image *out, struct iv_str bytes, const struct iv_frame *frame,
                             struct iv_err *err)
{
    size_t around = IV_FRAME_HEAD_BYTES + IV_FRAME_SUM_BYTES;
    ENSURE(bytes.n >= IV_FRAME_MAGIC_BYTES && memcmp(bytes.p, frame->magic, IV_FRAME_MAGIC_BYTES) == 0, err,
           IV_E_MALFORMED, "these %zu bytes are not %s", bytes.n, frame->full);
    ENSURE(bytes.n >= around, err, IV_E_MALFORMED, "the %s is cut short: %zu bytes of at least %zu",
           frame->noun, bytes.n, around);
    uint32_t version = version_of(bytes);
    bool older = frame->oldest > 0 && version >= frame->oldest && version < frame->version;
    ENSURE(version == frame->version || older, err, IV_E_MALFORMED,
           "the %s is of version %u, and this program reads version %u", frame->noun, (unsigned)version,
           (unsigned)frame->version);
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct iv_image head = {p + LENGTH_AT, p + IV_FRAME_HEAD_BYTES, false};
    uint64_t length = iv_image_get_u64(&head);
    ENSURE(length == bytes.n, err, IV_E_MALFORMED, "the %s is cut short or damaged: %zu bytes of %llu",
           frame->noun, bytes.n, (unsigned long long)length);
    size_t summed = bytes.n - IV_FRAME_SUM_BYTES;
    struct iv_image tail = {p + summed, p + bytes.n, false};
    struct iv_hash128 wanted = iv_image_get_hash(&tail);
    struct iv_hash128 sum = iv_hash128((struct iv_hash_key){0}, (struct iv_str){bytes.p, summed});
    ENSURE(sum.lo == wanted.lo && sum.hi == wanted.hi, err, IV_E_MALFORMED,
           "the %s is damaged: its sum is not that of its bytes", frame->noun);
    *out = (struct iv_image){p + IV_FRAME_HEAD_BYTES, p + summed, false};
    return IV_OK;
}
