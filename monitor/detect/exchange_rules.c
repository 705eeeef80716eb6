/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/exchange_rules.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

#define NAME_BYTES 8

iv_rc iv_exchange_rules(uint64_t **out, const struct iv_baseline *baseline, bool global, struct iv_err *err)
{
    uint64_t *rules = iv_calloc(baseline->rule_count / 64 + 1, sizeof *rules);
    ENSURE(rules != NULL, err, IV_E_NOMEM, "cannot allocate a set of %zu rules", baseline->rule_count);
    for (size_t i = 0; i < baseline->rule_count; i++) {
        bool in = baseline->rules[i]->global == global;
        rules[i / 64] |= (in ? UINT64_C(1) : 0) << (i % 64);
    }
    *out = rules;
    return IV_OK;
}

void iv_exchange_rules_freep(uint64_t **rules)
{
    iv_free(*rules);
    *rules = NULL;
}

void iv_exchange_rules_name(struct iv_buf *out, const struct iv_baseline *baseline)
{
    iv_buf_clear(out);
    for (size_t i = 0; i < baseline->rule_count; i++) {
        if (baseline->rules[i]->global) {
            iv_buf_add(out, baseline->rules[i]->digest, NAME_BYTES);
        }
    }
}

bool iv_exchange_rules_named(struct iv_str names, const struct iv_rule *rule)
{
    for (size_t at = 0; at + NAME_BYTES <= names.n; at += NAME_BYTES) {
        if (memcmp(names.p + at, rule->digest, NAME_BYTES) == 0) {
            return true;
        }
    }
    return false;
}
