/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/guard.h"

#include "base/guard.h"
#include "baseline/yaml_fields.h"
#include "evidence/admitted.h"

#include <stdio.h>

#define MOST 1000000

static const struct {
    const char *name;
    const char *subject; /* in a sentence about what was counted */
    enum iv_touch touch;
} guards[] = {
    [IV_GUARD_EXECUTIONS] = {"executions", "executions", IV_TOUCH_ANY},
    [IV_GUARD_AGENTS] = {"agents", "distinct agents", IV_TOUCH_AGENT},
    [IV_GUARD_TENANTS] = {"tenants", "distinct tenants", IV_TOUCH_TENANT},
    [IV_GUARD_ENCLAVES] = {"enclaves", "distinct enclaves", IV_TOUCH_ENCLAVE},
};

static const struct {
    const char *name;
    iv_ns length;
} windows[IV_WINDOWS] = {
    {"minute", 60 * IV_NS_PER_S}, {"hour", 3600 * IV_NS_PER_S}, {"day", 24 * 3600 * IV_NS_PER_S}};

static const struct iv_limits defaults = {{
#define GUARD(id, name, minute, hour, day) [IV_GUARD_##id] = {minute, hour, day},
#include "respond/guards.def"
#undef GUARD
}};

static void parse_guard(int64_t most[IV_WINDOWS], const char *name, const struct iv_yaml_node *node,
                        struct iv_problems *problems)
{
    struct iv_yaml_map map;
    if (node == NULL || !iv_yaml_open(&map, node, name, problems)) {
        return;
    }
    for (size_t w = 0; w < IV_WINDOWS; w++) {
        const struct iv_yaml_node *limit = iv_yaml_get(&map, windows[w].name);
        (void)(limit != NULL && iv_yaml_int(&most[w], limit, 0, MOST, problems));
    }
    iv_yaml_close(&map);
}

void iv_limits_parse(struct iv_limits *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    struct iv_yaml_map map;
    *out = defaults;
    if (node == NULL || !iv_yaml_open(&map, node, "guards", problems)) {
        return;
    }
    for (size_t g = 0; g < IV_GUARDS; g++) {
        parse_guard(out->most[g], guards[g].name, iv_yaml_get(&map, guards[g].name), problems);
    }
    iv_yaml_close(&map);
}

iv_rc iv_limits_decide(const struct iv_limits *limits, bool *held, char why[IV_HELD_BYTES],
                       struct iv_store *store, const struct iv_execution *execution, iv_ns now,
                       struct iv_err *err)
{
    *held = false;
    for (size_t g = 0; g < IV_GUARDS && !*held; g++) {
        for (size_t w = 0; w < IV_WINDOWS && !*held && iv_touches(execution, guards[g].touch); w++) {
            int64_t most = limits->most[g][w];
            TRY(iv_store_admitted(store, held, execution, guards[g].touch, windows[w].length, now, most,
                                  err));
            if (*held) {
                (void)snprintf(
                    why, IV_HELD_BYTES, "guard %s.%s: at most %lld %s within a %s; waits for an approval",
                    guards[g].name, windows[w].name, (long long)most, guards[g].subject, windows[w].name);
            }
        }
    }
    return IV_OK;
}
