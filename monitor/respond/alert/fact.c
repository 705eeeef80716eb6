/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/alert/alert_internal.h"

#include <inttypes.h>
#include <stdio.h>

iv_rc iv_alerter_fact(struct iv_store *store, int64_t *out, const char *name, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 64);
    struct iv_rc_s rc = iv_store_fact(store, &text, iv_str_of(name), err);
    if (rc.code == IV_E_ABSENT) {
        *out = -1;
        return IV_OK;
    }
    TRY(rc);
    *out = 0;
    for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        if (*out > (INT64_MAX - 9) / 10) {
            break;
        }
        *out = *out * 10 + (text.p[i] - '0');
    }
    return IV_OK;
}

iv_rc iv_alerter_put_fact(struct iv_store *store, const char *name, int64_t value, struct iv_err *err)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    return iv_store_put_fact(store, iv_str_of(name), iv_str_of(text), err);
}
