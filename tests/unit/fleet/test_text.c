/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/encode.h"
#include "base/guard.h"
#include "fleet/text.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define MS IV_NS_PER_MS
#define DAY (INT64_C(86400) * IV_NS_PER_S)

Test(sim_text, writes_times_that_read_back_the_same)
{
    static const iv_ns times[] = {0,
                                  999 * MS,
                                  -1 * MS,
                                  INT64_C(1767225600000) * MS,
                                  INT64_C(1767225600000) * MS - 1 * MS,
                                  INT64_C(1709164800000) * MS, /* 29 February 2024 */
                                  INT64_C(951782400000) * MS,  /* 29 February 2000 */
                                  -25567 * DAY + 45296789 * MS};
    for (size_t i = 0; i < IV_COUNT(times); i++) {
        char out[40] = "";
        struct iv_sim_text t = {out};
        struct iv_instant instant;
        iv_ns back = 1;

        iv_put_time(&t, times[i]);

        cr_assert(iv_instant_parse(&instant, (struct iv_str){out, (size_t)(t.p - out)}), "%s", out);
        cr_expect(iv_instant_to_ns(&back, instant));
        cr_expect(eq(i64, back, times[i]), "%s", out);
    }
}

Test(sim_text, writes_base64_as_everybody_does)
{
    static const unsigned char bytes[] = {0, 255, 16, 131, 251, 240, 7, 190};
    for (size_t n = 0; n <= sizeof bytes; n++) {
        char out[16] = "";
        struct iv_sim_text t = {out};
        struct iv_buf want;
        iv_buf_init(&want, 64);
        iv_base64_encode(&want, (struct iv_str){(const char *)bytes, n});

        iv_put_base64(&t, bytes, n);

        cr_expect(iv_str_eq((struct iv_str){out, (size_t)(t.p - out)}, iv_buf_slice(&want)), "%zu bytes", n);
        iv_buf_deinit(&want);
    }
}

Test(sim_text, writes_numbers_in_decimal_and_hex)
{
    static const struct {
        uint64_t number;
        const char *decimal;
        const char *hex;
    } rows[] = {{0, "0", "0000000000000000"},
                {10, "10", "000000000000000a"},
                {UINT64_C(0x0123456789abcdef), "81985529216486895", "0123456789abcdef"},
                {UINT64_MAX, "18446744073709551615", "ffffffffffffffff"}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char decimal[24] = "";
        char hex[24] = "";
        struct iv_sim_text t = {decimal};
        iv_put_int(&t, rows[i].number);
        t.p = hex;
        iv_put_id(&t, rows[i].number);

        cr_expect(eq(str, decimal, (char *)rows[i].decimal));
        cr_expect(eq(str, hex, (char *)rows[i].hex));
    }
}
