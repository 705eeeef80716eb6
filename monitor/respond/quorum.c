/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/quorum.h"

#include "base/guard.h"
#include "baseline/yaml_fields.h"
#include "event/keyring.h"
#include "respond/approvers.h"

#include <string.h>

#define ROLES_MAX_BYTES 1024
#define ROLE_DEFAULT "responder"
#define WITHIN_DEFAULT (24 * 3600 * IV_NS_PER_S)
#define WITHIN_MAX (30 * 24 * 3600 * IV_NS_PER_S)

static bool read_role(struct iv_str *role, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (!iv_yaml_string(role, node, problems)) {
        return false;
    }
    if (role->n == 0 || memchr(role->p, ' ', role->n) != NULL || iv_str_eq(*role, IV_STR(IV_EACH))) {
        iv_yaml_error(problems, node, "must be a role of the baseline's keys, without spaces");
        return false;
    }
    return true;
}

static iv_rc keep(struct iv_str *out, const struct iv_buf *roles, const struct iv_yaml_node *node,
                  struct iv_arena *arena, struct iv_problems *problems, struct iv_err *err)
{
    if (roles->n == 0 || iv_buf_failed(roles)) {
        iv_yaml_error(problems, node, "must name at least one role, and not more than 1 KiB of them");
        return IV_OK;
    }
    *out = iv_arena_str(arena, iv_buf_slice(roles));
    ENSURE(out->p != NULL, err, IV_E_NOMEM, "cannot allocate a playbook");
    return IV_OK;
}

static iv_rc parse_roles(struct iv_str *out, const struct iv_yaml_node *node, struct iv_arena *arena,
                         struct iv_problems *problems, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf roles;
    iv_buf_init(&roles, ROLES_MAX_BYTES);
    struct iv_yaml_items items = iv_yaml_items(node, problems);
    for (size_t i = 0; i < items.count; i++) {
        struct iv_str role;
        if (read_role(&role, iv_yaml_item(&items, i), problems)) {
            iv_buf_text(&roles, roles.n == 0 ? "" : " ");
            iv_buf_str(&roles, role);
        }
    }
    return keep(out, &roles, node, arena, problems, err);
}

/* One entry of a list: so many of a role. */
static int64_t parse_share(struct iv_buf *roles, const struct iv_yaml_node *node,
                           struct iv_problems *problems)
{
    struct iv_yaml_map map;
    struct iv_str role;
    int64_t count = 1;
    if (!iv_yaml_open(&map, node, "quorum", problems)) {
        return 0;
    }
    bool read = read_role(&role, iv_yaml_need(&map, "role"), problems);
    const struct iv_yaml_node *given = iv_yaml_get(&map, "count");
    (void)(given != NULL && iv_yaml_int(&count, given, 1, IV_QUORUM_MAX, problems));
    iv_yaml_close(&map);
    for (int64_t i = 0; read && i < count; i++) {
        iv_buf_text(roles, roles->n == 0 ? "" : " " IV_EACH " ");
        iv_buf_str(roles, role);
    }
    return count;
}

/* So many of each of several roles. */
static iv_rc parse_shares(struct iv_quorum *out, const struct iv_yaml_node *node, struct iv_arena *arena,
                          struct iv_problems *problems, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf roles;
    iv_buf_init(&roles, ROLES_MAX_BYTES);
    struct iv_yaml_items items = iv_yaml_items(node, problems);
    int64_t sum = 0;
    for (size_t i = 0; i < items.count; i++) {
        sum += parse_share(&roles, iv_yaml_item(&items, i), problems);
    }
    if (sum > IV_QUORUM_MAX) {
        iv_yaml_error(problems, node, "must ask for %d keys at most, of all roles together", IV_QUORUM_MAX);
        return IV_OK;
    }
    out->quorum = sum == 0 ? 1 : sum;
    return keep(&out->roles, &roles, node, arena, problems, err);
}

static iv_rc parse_count(struct iv_quorum *out, struct iv_yaml_map *map, struct iv_arena *arena,
                         struct iv_problems *problems, struct iv_err *err)
{
    const struct iv_yaml_node *quorum = iv_yaml_get(map, "quorum");
    const struct iv_yaml_node *roles = iv_yaml_get(map, "roles");
    out->quorum = 1;
    if (quorum == NULL || quorum->kind == IV_YAML_SCALAR) {
        (void)(quorum != NULL && iv_yaml_int(&out->quorum, quorum, 1, IV_QUORUM_MAX, problems));
        return roles == NULL ? IV_OK : parse_roles(&out->roles, roles, arena, problems, err);
    }
    if (roles != NULL) {
        iv_yaml_error(problems, roles, "stand in the list under 'quorum' already");
    }
    return parse_shares(out, quorum, arena, problems, err);
}

static void check(const struct iv_quorum *quorum, const struct iv_yaml_node *node,
                  const struct iv_quorum_keys *keys, const struct iv_instant *now,
                  struct iv_problems *problems)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf roles;
    iv_buf_init(&roles, ROLES_MAX_BYTES);
    struct iv_lack lack = {.roles = &roles};
    const struct iv_consents needs = iv_consents_of(quorum->roles, quorum->quorum);
    if (iv_consents_lack(&lack, &needs, keys->keyring, now)) {
        iv_yaml_error(problems, node,
                      "%s: it takes %lld different keys of: " IV_STR_FMT ", and the baseline has %lld%s%s",
                      now == NULL ? "can never be had" : "cannot be had now", (long long)lack.needed,
                      IV_STR_ARG(iv_buf_slice(&roles)), (long long)lack.there,
                      lack.bound ? " for any one tenant" : "", now == NULL ? "" : " that may sign today");
    }
}

/* With a quorum it is always waited for; without one, only where a guard holds back. */
iv_rc iv_quorum_parse(struct iv_quorum *out, const struct iv_yaml_node *node,
                      const struct iv_quorum_keys *keys, struct iv_arena *arena, struct iv_problems *problems,
                      struct iv_err *err)
{
    struct iv_yaml_map map;
    size_t errors = iv_problems_errors(problems);
    *out = (struct iv_quorum){.roles = IV_STR(ROLE_DEFAULT), .within = WITHIN_DEFAULT};
    if (node == NULL || !iv_yaml_open(&map, node, "approval", problems)) {
        return IV_OK;
    }
    TRY(parse_count(out, &map, arena, problems, err));
    const struct iv_yaml_node *within = iv_yaml_get(&map, "within");
    (void)iv_yaml_duration(&out->within, within, problems);
    if (within != NULL && (out->within < IV_NS_PER_S || out->within > WITHIN_MAX)) {
        iv_yaml_error(problems, within, "must be between 1s and 30d");
    }
    iv_yaml_close(&map);
    if (keys->keyring == NULL || iv_problems_errors(problems) > errors) {
        return IV_OK;
    }
    if (iv_keyring_is_empty(keys->keyring)) {
        iv_yaml_warning(problems, node, "takes approvers, and the baseline has no keys (yet)");
        return IV_OK;
    }
    check(out, node, keys, NULL, problems);
    if (keys->now != NULL && iv_problems_errors(problems) == errors) {
        check(out, node, keys, keys->now, problems);
    }
    return IV_OK;
}
