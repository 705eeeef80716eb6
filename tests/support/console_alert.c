/* SPDX-License-Identifier: Apache-2.0 */
#include "support/console_alert.h"

#include "base/guard.h"
#include "evidence/alert.h"

iv_rc console_put_alert(struct iv_store *store, char *const words[], iv_ns now, struct iv_err *err)
{
    const bool firing = strcmp(words[3], "firing") == 0;
    const struct iv_alert_sink_state sink = {
        .name = IV_STR("ops"), .kind = IV_STR("webhook"), .failing = now, .why = IV_STR("nobody is there")};
    const struct iv_alert alert = {
        .fingerprint =
            firing ? IV_STR("00112233445566778899aabbccddeeff") : IV_STR("ffeeddccbbaa99887766554433221100"),
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
