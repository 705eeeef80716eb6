/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/guard.h"
#include "base/hmac.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

/*= RFC 4231 4 "Test Vectors" */
Test(hmac, agrees_with_the_published_vectors)
{
    static const char filler[131] = {[0 ... 130] = '\xaa'};
    static const char twenty[20] = {[0 ... 19] = '\x0b'};
    static const struct {
        struct iv_str key;
        const char *message;
        const char *want;
    } rows[] = {
        {{twenty, 20}, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {{"Jefe", 4},
         "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {{filler, 131},
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    cr_assert(iv_ok(iv_digester_new(&digester, NULL)));
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_str whole = iv_str_of(rows[i].message);
        const struct iv_str parts[] = {{whole.p, 3}, {whole.p + 3, whole.n - 3}};
        unsigned char mac[32];
        unsigned char want[32];
        cr_assert(iv_hex_decode(want, sizeof want, iv_str_of(rows[i].want)));

        iv_hmac_sha256(mac, digester, rows[i].key, parts, IV_COUNT(parts));

        cr_expect(memcmp(mac, want, sizeof want) == 0, "row %zu", i);
    }
}
