/* SPDX-License-Identifier: Apache-2.0 */
#include "console/place.h"

#include <inttypes.h>
#include <stdio.h>

static bool number_parse(int64_t *out, struct iv_str text)
{
    int64_t n = 0;
    if (text.n == 0 || text.n > 18) {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        n = n * 10 + (text.p[i] - '0');
    }
    *out = n;
    return true;
}

bool iv_place_parse(struct iv_place *out, struct iv_str text)
{
    const char *dash = text.n == 0 ? NULL : memchr(text.p, '-', text.n);
    if (dash == NULL) {
        return false;
    }
    size_t before = (size_t)(dash - text.p);
    struct iv_place place;
    if (!number_parse(&place.findings, (struct iv_str){text.p, before}) ||
        !number_parse(&place.actions, (struct iv_str){dash + 1, text.n - before - 1})) {
        return false;
    }
    *out = place;
    return true;
}

void iv_place_format(char out[IV_PLACE_BYTES], struct iv_place place)
{
    (void)snprintf(out, IV_PLACE_BYTES, "%" PRId64 "-%" PRId64, place.findings, place.actions);
}
