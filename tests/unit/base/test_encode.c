/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(base64, round_trips_and_is_strict)
{
    static const struct {
        const char *plain;
        const char *coded;
    } rows[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}; /* RFC 4648 10 */
    struct iv_buf out;
    iv_buf_init(&out, 256);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        iv_buf_clear(&out);
        iv_base64_encode(&out, iv_str_of(rows[i].plain));
        cr_expect(iv_str_eq(iv_buf_slice(&out), iv_str_of(rows[i].coded)), "encodes '%s'", rows[i].plain);
        iv_buf_clear(&out);
        cr_expect(iv_base64_decode(&out, iv_str_of(rows[i].coded)), "decodes '%s'", rows[i].coded);
        cr_expect(iv_str_eq(iv_buf_slice(&out), iv_str_of(rows[i].plain)), "decodes '%s'", rows[i].coded);
    }
    static const char *const wrong[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "Zm 9", "Zg==Zg=="};
    for (size_t i = 0; i < IV_COUNT(wrong); i++) {
        cr_expect(not(iv_base64_decode(&out, iv_str_of(wrong[i]))), "'%s' must be refused", wrong[i]);
    }
    iv_buf_deinit(&out);
}

Test(hex, round_trips_and_is_strict)
{
    unsigned char bytes[3];
    cr_expect(iv_hex_decode(bytes, 3, IV_STR("00fFa1")));
    cr_expect(eq(int, bytes[1], 0xff));
    cr_expect(not(iv_hex_decode(bytes, 3, IV_STR("00ff"))));
    cr_expect(not(iv_hex_decode(bytes, 3, IV_STR("00ffzz"))));
}

Test(json_double, is_the_shortest_ecmascript_form)
{
    static const struct {
        double d;
        const char *want;
    } rows[] = {{0, "0"},
                {-0.0, "0"},
                {1, "1"},
                {0.1, "0.1"},
                {-42, "-42"},
                {0x1p53 - 1, "9007199254740991"},
                {-0x1p53, "-9007199254740992"},
                {1e21, "1e+21"},
                {1e20, "100000000000000000000"},
                {1e-6, "0.000001"},
                {1e-7, "1e-7"},
                {-1.5, "-1.5"},
                {5e-324, "5e-324"},
                {1.7976931348623157e308, "1.7976931348623157e+308"},
                {333333333.33333329, "333333333.3333333"}};
    struct iv_buf out;
    iv_buf_init(&out, 64);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        iv_buf_clear(&out);
        iv_json_double(&out, rows[i].d);
        cr_expect(eq(str, out.p, (char *)rows[i].want));
    }
    iv_buf_deinit(&out);
}

Test(json, the_writer_keeps_commas_right)
{
    struct iv_buf out;
    iv_buf_init(&out, 256);
    struct iv_json j = iv_json_to(&out);
    iv_json_open_object(&j, NULL);
    iv_json_int(&j, "a", 1);
    iv_json_open_list(&j, "b");
    iv_json_text(&j, NULL, "x");
    iv_json_null(&j, NULL);
    iv_json_close_list(&j);
    iv_json_bool(&j, "c", false);
    iv_json_close_object(&j);
    cr_expect(eq(str, out.p, (char *)"{\"a\":1,\"b\":[\"x\",null],\"c\":false}"));
    iv_buf_deinit(&out);
}

Test(json, writes_each_integer)
{
    struct iv_buf out;
    iv_buf_init(&out, 256);
    struct iv_json j = iv_json_to(&out);
    iv_json_open_list(&j, NULL);
    iv_json_int(&j, NULL, 0);
    iv_json_int(&j, NULL, -1);
    iv_json_int(&j, NULL, 1000);
    iv_json_int(&j, NULL, INT64_MIN);
    iv_json_int(&j, NULL, INT64_MAX);
    iv_json_close_list(&j);
    cr_expect(eq(str, out.p, (char *)"[0,-1,1000,-9223372036854775808,9223372036854775807]"));
    iv_buf_deinit(&out);
}

Test(digest, knows_the_published_vectors)
{
    /* FIPS 180-4 and FIPS 202, message "abc" */
    static const struct {
        enum iv_digest_alg alg;
        const char *want;
    } rows[] = {
        {IV_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                    "8086072ba1e7cc2358baeca134c825a7"},
        {IV_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {IV_SHA3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    };
    struct iv_err err;
    struct iv_digester *digester = NULL;
    cr_assert(iv_ok(iv_digester_new(&digester, &err)));
    struct iv_buf hex;
    iv_buf_init(&hex, 256);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_digest d;
        iv_digest(digester, &d, rows[i].alg, IV_STR("abc"));
        iv_buf_clear(&hex);
        iv_hex_encode(&hex, (struct iv_str){(const char *)d.bytes, d.n});
        cr_expect(eq(str, hex.p, (char *)rows[i].want));
    }
    iv_buf_deinit(&hex);
    iv_digester_free(digester);
}

Test(base64, for_addresses_has_no_padding)
{
    static const struct {
        struct iv_str plain;
        const char *coded;
    } rows[] = {{IV_STR_INIT(""), ""},
                {IV_STR_INIT("f"), "Zg"},
                {IV_STR_INIT("fo"), "Zm8"},
                {IV_STR_INIT("foo"), "Zm9v"},
                {IV_STR_INIT("\xfb\xff\xbf"), "-_-_"}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(iv_buf_deinit) struct iv_buf out;
        iv_buf_init(&out, 64);
        iv_buf_text(&out, "");

        iv_base64url_encode(&out, rows[i].plain);

        cr_expect(eq(str, out.n == 0 ? (char *)"" : out.p, (char *)rows[i].coded));
    }
}
