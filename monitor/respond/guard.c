/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/guard.h"

#include "base/arena.h"
#include "base/guard.h"
#include "base/value.h"
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

static const struct iv_limits defaults = {
    .most =
        {
#define GUARD(id, name, minute, hour, day) [IV_GUARD_##id] = {minute, hour, day},
#include "respond/guards.def"
#undef GUARD
        },
    .ramp_start = 1,
    .ramp_errors = 200,
};

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

/* A share, 0 to 1, in thousandths. */
static void parse_share(int64_t *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_val v = {.kind = IV_KIND_ABSENT};
    iv_arena_init(&arena, 0);
    if (node == NULL) {
        return;
    }
    (void)(node->kind == IV_YAML_SCALAR && iv_yaml_value(&v, &arena, node));
    double share = v.kind == IV_KIND_DOUBLE ? v.d : v.kind == IV_KIND_INT ? (double)v.i : -1;
    if (share >= 0 && share <= 1) {
        *out = (int64_t)(share * 1000 + 0.5);
    } else {
        iv_yaml_error(problems, node, "must be a share, from 0 to 1");
    }
}

static void parse_ramp(struct iv_limits *limits, const struct iv_yaml_node *node,
                       struct iv_problems *problems)
{
    struct iv_yaml_map map;
    if (node == NULL || !iv_yaml_open(&map, node, "ramp", problems)) {
        return;
    }
    const struct iv_yaml_node *start = iv_yaml_get(&map, "start");
    (void)(start != NULL && iv_yaml_int(&limits->ramp_start, start, 1, MOST, problems));
    parse_share(&limits->ramp_errors, iv_yaml_get(&map, "errors"), problems);
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
    parse_ramp(out, iv_yaml_get(&map, "ramp"), problems);
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
