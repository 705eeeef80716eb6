/* SPDX-License-Identifier: Apache-2.0 */
#include "app/evidence_period.h"

#include "base/guard.h"

#include <stdio.h>

static bool read_time(iv_ns *out, const char *text)
{
    char moment[32];
    struct iv_instant at;
    int n = snprintf(moment, sizeof moment, strlen(text) == 10 ? "%sT00:00:00Z" : "%s", text);
    return n > 0 && (size_t)n < sizeof moment && iv_instant_parse(&at, iv_str_of(moment)) &&
           iv_instant_to_ns(out, at);
}

iv_rc iv_evidence_period(iv_ns *from, iv_ns *until, const char *from_text, const char *to_text,
                         struct iv_err *err)
{
    ENSURE(read_time(from, from_text), err, IV_E_REFUSED,
           "--from must be a date or a time as RFC 3339 has it, got '%s'", from_text);
    ENSURE(read_time(until, to_text), err, IV_E_REFUSED,
           "--to must be a date or a time as RFC 3339 has it, got '%s'", to_text);
    ENSURE(*from < *until, err, IV_E_REFUSED, "--to must be behind --from: the period is empty");
    return IV_OK;
}
