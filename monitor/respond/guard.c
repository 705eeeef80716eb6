/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/guard.h"

#include "base/arena.h"
#include "base/guard.h"
#include "base/value.h"
#include "baseline/yaml_fields.h"
#include "evidence/admitted.h"
#include "evidence/alive.h"

#include <stdio.h>

#define MOST 1000000
#define HOUR 1 /* among the windows */
#define WHOLE 1000
#define AGE_MIN (60 * IV_NS_PER_S)
#define AGE_MAX (365 * 24 * 3600 * IV_NS_PER_S)

static const struct {
    const char *name;
    const char *subject; /* in a sentence about what was counted */
    enum iv_touch touch;
    enum iv_alive alive; /* whose share; KINDS: nobody's */
} guards[] = {
    [IV_GUARD_EXECUTIONS] = {"executions", "executions", IV_TOUCH_ANY, IV_ALIVE_KINDS},
    [IV_GUARD_AGENTS] = {"agents", "distinct agents", IV_TOUCH_AGENT, IV_ALIVE_AGENTS},
    [IV_GUARD_TENANTS] = {"tenants", "distinct tenants", IV_TOUCH_TENANT, IV_ALIVE_TENANTS},
    [IV_GUARD_ENCLAVES] = {"enclaves", "distinct enclaves", IV_TOUCH_ENCLAVE, IV_ALIVE_ENCLAVES},
};

static const struct {
    const char *name;
    iv_ns length;
} windows[IV_WINDOWS] = {
    {"minute", 60 * IV_NS_PER_S}, {"hour", 3600 * IV_NS_PER_S}, {"day", 24 * 3600 * IV_NS_PER_S}};

const struct iv_limits iv_limits_default = {
    .most =
        {
#define GUARD(id, name, minute, hour, day, share) [IV_GUARD_##id] = {minute, hour, day},
#include "respond/guards.def"
#undef GUARD
        },
    .share =
        {
#define GUARD(id, name, minute, hour, day, share) [IV_GUARD_##id] = share,
#include "respond/guards.def"
#undef GUARD
        },
    .max_age = 3600 * IV_NS_PER_S,
    .ramp_start = 1,
    .ramp_errors = 200,
};

/* A share in thousandths: from 0 to 1, or above 0. */
static void parse_share(int64_t *out, const struct iv_yaml_node *node, bool some,
                        struct iv_problems *problems)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_val v = {.kind = IV_KIND_ABSENT};
    iv_arena_init(&arena, 0);
    if (node == NULL) {
        return;
    }
    (void)(node->kind == IV_YAML_SCALAR && iv_yaml_value(&v, &arena, node));
    double share = v.kind == IV_KIND_DOUBLE ? v.d : v.kind == IV_KIND_INT ? (double)v.i : -1;
    if (share >= (some ? 0.001 : 0) && share <= 1) {
        *out = (int64_t)(share * 1000 + 0.5);
    } else {
        iv_yaml_error(problems, node,
                      some ? "must be a share, from 0.001 to 1" : "must be a share, from 0 to 1");
    }
}

static void parse_guard(struct iv_limits *limits, size_t g, const struct iv_yaml_node *node,
                        struct iv_problems *problems)
{
    struct iv_yaml_map map;
    if (node == NULL || !iv_yaml_open(&map, node, guards[g].name, problems)) {
        return;
    }
    for (size_t w = 0; w < IV_WINDOWS; w++) {
        const struct iv_yaml_node *limit = iv_yaml_get(&map, windows[w].name);
        (void)(limit != NULL && iv_yaml_int(&limits->most[g][w], limit, 0, MOST, problems));
    }
    if (guards[g].alive != IV_ALIVE_KINDS) {
        const struct iv_yaml_node *share = iv_yaml_get(&map, "share");
        parse_share(&limits->share[g], share, true, problems);
        limits->exact[g] = share != NULL;
    }
    iv_yaml_close(&map);
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
    parse_share(&limits->ramp_errors, iv_yaml_get(&map, "errors"), false, problems);
    iv_yaml_close(&map);
}

static void parse_age(struct iv_limits *limits, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (node != NULL && iv_yaml_duration(&limits->max_age, node, problems) &&
        (limits->max_age < AGE_MIN || limits->max_age > AGE_MAX)) {
        iv_yaml_error(problems, node, "must be between 1m and 365d");
    }
}

void iv_limits_parse(struct iv_limits *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    struct iv_yaml_map map;
    *out = iv_limits_default;
    if (node == NULL || !iv_yaml_open(&map, node, "guards", problems)) {
        return;
    }
    for (size_t g = 0; g < IV_GUARDS; g++) {
        parse_guard(out, g, iv_yaml_get(&map, guards[g].name), problems);
    }
    parse_ramp(out, iv_yaml_get(&map, "ramp"), problems);
    parse_age(out, iv_yaml_get(&map, "max_age"), problems);
    iv_yaml_close(&map);
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many of those alive may be touched within an hour: one of however few. */
static int64_t share_of(const struct iv_limits *limits, size_t g, int64_t alive)
{
    int64_t share = (alive * limits->share[g] + WHOLE - 1) / WHOLE;
    int64_t half = limits->exact[g] ? 0 : lesser((alive + 1) / 2, limits->most[g][0]);
    return greater(1, greater(share, half));
}

/* How many may be touched within an hour by their share. *known: of how many. An old figure binds as far as
 * it did, but lets no more than a minute's limit; where nobody ever said one, that holds. */
static iv_rc allowed(const struct iv_limits *limits, size_t g, int64_t *most, int64_t *alive, bool *known,
                     struct iv_store *store, iv_ns now, struct iv_err *err)
{
    iv_ns as_of = IV_NS_MIN;
    int64_t minute = limits->most[g][0];
    struct iv_rc_s rc = iv_store_alive(store, guards[g].alive, alive, &as_of, err);
    if (rc.code == IV_E_ABSENT) {
        *known = false;
        *most = minute;
        return IV_OK;
    }
    TRY(rc);
    *known = iv_ns_add(as_of, IV_ALIVE_AGE) >= now;
    *most = share_of(limits, g, *alive);
    *most = *known ? *most : lesser(*most, minute);
    return IV_OK;
}

struct question {
    const struct iv_limits *limits;
    struct iv_store *store;
    const struct iv_execution *execution;
    enum iv_measure measure;
    iv_ns now;
    char *why; /* IV_HELD_BYTES */
};

/* What becomes of an execution that is held back. */
static const char *waits_for(const struct question *q)
{
    return q->measure == IV_MEASURE_ADMITTED ? "waits for an approval" : "waits for its turn";
}

static iv_rc has_enough(const struct question *q, bool *enough, size_t g, size_t w, int64_t most,
                        struct iv_err *err)
{
    const struct iv_counting counting = {.measure = q->measure,
                                         .touch = guards[g].touch,
                                         .window = windows[w].length,
                                         .now = q->now,
                                         .most = most};
    return iv_store_enough(q->store, enough, q->execution, &counting, err);
}

static iv_rc decide_share(const struct question *q, bool *held, size_t g, struct iv_err *err)
{
    int64_t most = 0;
    int64_t alive = 0;
    bool known = false;
    const char *name = guards[g].name;
    TRY(allowed(q->limits, g, &most, &alive, &known, q->store, q->now, err));
    if (most >= q->limits->most[g][HOUR]) {
        return IV_OK; /* the hour's own limit is no greater */
    }
    TRY(has_enough(q, held, g, HOUR, most, err));
    if (*held && known) {
        (void)snprintf(q->why, IV_HELD_BYTES, "guard %s.share: at most %lld of %lld alive within an hour; %s",
                       name, (long long)most, (long long)alive, waits_for(q));
    } else if (*held) {
        (void)snprintf(q->why, IV_HELD_BYTES,
                       "guard %s.share: beyond %lld within an hour it is a share, and it is not known how "
                       "many are alive; %s",
                       name, (long long)most, waits_for(q));
    }
    return IV_OK;
}

static iv_rc decide_one(const struct question *q, enum iv_held *held, size_t g, struct iv_err *err)
{
    bool enough = false;
    for (size_t w = 0; w < IV_WINDOWS; w++) {
        int64_t most = q->limits->most[g][w];
        TRY(has_enough(q, &enough, g, w, most, err));
        if (enough) {
            (void)snprintf(q->why, IV_HELD_BYTES, "guard %s.%s: at most %lld %s within a %s; %s",
                           guards[g].name, windows[w].name, (long long)most, guards[g].subject,
                           windows[w].name, most == 0 ? "waits for an approval" : waits_for(q));
            *held = most == 0 ? IV_HELD_NEVER : guards[g].touch == IV_TOUCH_ANY ? IV_HELD_ALL : IV_HELD_THIS;
            return IV_OK;
        }
    }
    if (q->limits->share[g] > 0 && q->limits->share[g] < WHOLE) {
        TRY(decide_share(q, &enough, g, err));
    }
    *held = enough ? IV_HELD_THIS : IV_HELD_NOT;
    return IV_OK;
}

iv_rc iv_limits_decide(const struct iv_limits *limits, enum iv_held *held, char why[IV_HELD_BYTES],
                       struct iv_store *store, const struct iv_execution *execution, enum iv_measure measure,
                       iv_ns now, struct iv_err *err)
{
    const struct question q = {limits, store, execution, measure, now, why};
    *held = IV_HELD_NOT;
    for (size_t g = 0; g < IV_GUARDS && *held == IV_HELD_NOT; g++) {
        if (iv_touches(execution, guards[g].touch)) {
            TRY(decide_one(&q, held, g, err));
        }
    }
    return IV_OK;
}

bool iv_limits_outlived(const struct iv_limits *limits, char why[IV_HELD_BYTES], iv_ns made, iv_ns now)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    char room[64];
    iv_buf_init_lent(&text, room, sizeof room, sizeof room - 1);
    if (made == 0 || iv_ns_add(made, limits->max_age) >= now) {
        return false;
    }
    iv_ns_format(&text, made);
    (void)snprintf(why, IV_HELD_BYTES,
                   "guard max_age: the finding is of " IV_STR_FMT "; waits for an approval",
                   IV_STR_ARG(iv_buf_slice(&text)));
    return true;
}
