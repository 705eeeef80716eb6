/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/text.h"

void iv_put_int(struct iv_sim_text *t, uint64_t i)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + i % 10);
        i /= 10;
    } while (i > 0);
    iv_put(t, digits + at, sizeof digits - at);
}

static void put_two(struct iv_sim_text *t, unsigned number)
{
    *t->p++ = (char)('0' + number / 10);
    *t->p++ = (char)('0' + number % 10);
}

/* The civil date of a day since 1970: Howard Hinnant's "chrono-compatible low-level date algorithms". */
static void put_date(struct iv_sim_text *t, int64_t day)
{
    int64_t z = day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned of_era = (unsigned)(z - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned month = (5 * of_year + 2) / 153;
    unsigned day_of_month = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    unsigned year = (unsigned)(year_of_era + (unsigned)era * 400) + (month <= 2 ? 1 : 0);
    put_two(t, year / 100 % 100);
    put_two(t, year % 100);
    *t->p++ = '-';
    put_two(t, month);
    *t->p++ = '-';
    put_two(t, day_of_month);
}

void iv_put_time(struct iv_sim_text *t, iv_ns time)
{
    int64_t s = time / IV_NS_PER_S - (time % IV_NS_PER_S < 0);
    int64_t day = s / 86400 - (s % 86400 < 0);
    unsigned second = (unsigned)(s - day * 86400);
    unsigned ms = (unsigned)((time - s * IV_NS_PER_S) / IV_NS_PER_MS);
    put_date(t, day);
    *t->p++ = 'T';
    put_two(t, second / 3600);
    *t->p++ = ':';
    put_two(t, second / 60 % 60);
    *t->p++ = ':';
    put_two(t, second % 60);
    *t->p++ = '.';
    *t->p++ = (char)('0' + ms / 100);
    put_two(t, ms % 100);
    *t->p++ = 'Z';
}

void iv_put_base64(struct iv_sim_text *t, const unsigned char *bytes, size_t n)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t second = i + 1 < n ? bytes[i + 1] : 0;
        uint32_t third = i + 2 < n ? bytes[i + 2] : 0;
        uint32_t group = (uint32_t)bytes[i] << 16 | second << 8 | third;
        *t->p++ = alphabet[group >> 18];
        *t->p++ = alphabet[group >> 12 & 63];
        *t->p++ = i + 1 < n ? alphabet[group >> 6 & 63] : '=';
        *t->p++ = i + 2 < n ? alphabet[group & 63] : '=';
    }
}

void iv_put_digest(struct iv_sim_text *t, enum iv_sim_digest of, uint64_t number, unsigned digits)
{
    iv_sim_hex(t->p, number ^ (uint64_t)of << 56, digits);
    t->p += digits;
}
