/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"

#include <endian.h>
#include <string.h>

void iv_hex_encode(struct iv_buf *out, struct iv_str bytes)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        unsigned char c = (unsigned char)bytes.p[i];
        char pair[2] = {hex[c >> 4], hex[c & 15]};
        iv_buf_add(out, pair, 2);
    }
}

/* One more than the digit's value; a table, for the digits of a digest follow no branch predictor. */
static const unsigned char hex_values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int iv_hex_digit(char c)
{
    return hex_values[(unsigned char)c] - 1;
}

/* Lower-case digits alone, and of a length of whole words. */
static bool decode_words(unsigned char *out, struct iv_str hex)
{
    uint64_t other = hex.n % sizeof other;
    for (size_t i = 0; other == 0 && i < hex.n; i += sizeof other) {
        uint64_t digits;
        memcpy(&digits, hex.p + i, sizeof digits);
        digits = le64toh(digits);
        uint32_t bytes = iv_hex_to_bytes(digits);
        other = iv_hex_of_bytes(bytes) ^ digits;
        bytes = htole32(bytes);
        memcpy(out + i / 2, &bytes, sizeof bytes);
    }
    return other == 0;
}

bool iv_hex_decode(unsigned char *out, size_t n, struct iv_str hex)
{
    if (hex.n != 2 * n) {
        return false;
    }
    if (decode_words(out, hex)) {
        return true;
    }
    int all = 0; /* below 0 if one of them is: one branch for the text, none for a digit */
    for (size_t i = 0; i < n; i++) {
        int high = iv_hex_digit(hex.p[2 * i]);
        int low = iv_hex_digit(hex.p[2 * i + 1]);
        all |= high | low;
        out[i] = (unsigned char)(high * 16 + low);
    }
    return all >= 0;
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode64(struct iv_buf *out, const char *alphabet, bool padded, struct iv_str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        uint32_t group =
            (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
        char quad[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=', left > 2 ? alphabet[group & 63] : '='};
        iv_buf_add(out, quad, padded || left > 2 ? 4 : left + 1);
    }
}

void iv_base64_encode(struct iv_buf *out, struct iv_str bytes)
{
    encode64(out, base64_alphabet, true, bytes);
}

void iv_base64url_encode(struct iv_buf *out, struct iv_str bytes)
{
    encode64(out, base64url_alphabet, false, bytes);
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool iv_base64_decode(struct iv_buf *out, struct iv_str text)
{
    if (text.n % 4 != 0) {
        return false;
    }
    size_t end = text.n;
    while (end > 0 && text.n - end < 2 && text.p[end - 1] == '=') {
        end--;
    }
    size_t n = text.n / 4 * 3 - (text.n - end);
    char *p = iv_buf_reserve(out, n);
    if (p == NULL) {
        return false;
    }
    for (size_t i = 0; i < text.n; i += 4) {
        bool last = i + 4 == text.n;
        size_t pad = last && text.p[i + 3] == '=' ? (text.p[i + 2] == '=' ? 2 : 1) : 0;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int digit = k >= 4 - pad ? 0 : base64_digit(text.p[i + k]);
            if (digit < 0) {
                return false;
            }
            group = group << 6 | (uint32_t)digit;
        }
        if ((pad == 1 && (group & 0xff) != 0) || (pad == 2 && (group & 0xffff) != 0)) {
            return false;
        }
        const char bytes[3] = {(char)(group >> 16), (char)(group >> 8 & 0xff), (char)(group & 0xff)};
        memcpy(p, bytes, 3 - pad);
        p += 3 - pad;
    }
    iv_buf_wrote(out, n);
    return true;
}
