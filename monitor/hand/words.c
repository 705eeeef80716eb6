/* SPDX-License-Identifier: Apache-2.0 */
#include "hand/words.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

void iv_words_add(struct iv_buf *out, struct iv_str word)
{
    uint32_t n = htole32((uint32_t)word.n);
    iv_buf_add(out, &n, sizeof n);
    iv_buf_str(out, word);
}

bool iv_words_read(struct iv_words_list *out, struct iv_str message)
{
    out->count = 0;
    while (message.n > 0) {
        uint32_t n = 0;
        if (out->count == IV_HAND_WORDS || message.n < sizeof n) {
            return false;
        }
        memcpy(&n, message.p, sizeof n);
        n = le32toh(n);
        if (n > message.n - sizeof n) {
            return false;
        }
        out->items[out->count++] = (struct iv_str){message.p + sizeof n, n};
        message.p += sizeof n + n;
        message.n -= sizeof n + n;
    }
    return true;
}
