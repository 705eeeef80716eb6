/* SPDX-License-Identifier: Apache-2.0 */
#include "support/console_alert.h"

#include "base/guard.h"
#include "base/hash.h"
#include "evidence/alert.h"

#include <inttypes.h>
#include <stdio.h>

static void fingerprint_of(char out[IV_FINGERPRINT_HEX + 1], char *const words[])
{
    const struct iv_hash_key key = {1, 2};
    char about[256];
    (void)snprintf(about, sizeof about, "%s/%s", words[1], words[2]);
    struct iv_hash128 hash = iv_hash128(key, iv_str_of(about));
    (void)snprintf(out, IV_FINGERPRINT_HEX + 1, "%016" PRIx64 "%016" PRIx64, hash.hi, hash.lo);
}

iv_rc console_put_alert(struct iv_store *store, char *const words[], iv_ns now, struct iv_err *err)
{
    const bool firing = strcmp(words[3], "firing") == 0;
    char fingerprint[IV_FINGERPRINT_HEX + 1];
    fingerprint_of(fingerprint, words);
    const struct iv_alert_sink_state sink = {
        .name = IV_STR("ops"), .kind = IV_STR("webhook"), .failing = now, .why = IV_STR("nobody is there")};
    const struct iv_alert alert = {
        .fingerprint = {fingerprint, IV_FINGERPRINT_HEX},
        .rule = iv_str_of(words[1]),
        .title = IV_STR("An alert"),
        .severity = IV_SEV_HIGH,
        .criteria = IV_STR("CC6.1"),
        .tenant = iv_str_of(words[2]),
        .kind = IV_VIOLATED,
        .count = 3,
        .firing = firing,
        .started = now,
        .last = now,
        .ended = firing ? 0 : now,
        .cause = firing ? IV_STR("") : IV_STR("not found again for 300 s"),
    };
    TRY(iv_store_put_sink(store, &sink, err));
    TRY(iv_store_put_alert(store, &alert, err));
    TRY(iv_store_add_target(store, alert.fingerprint, sink.name, err));
    return iv_store_notify(store, alert.fingerprint, now, now, err);
}
