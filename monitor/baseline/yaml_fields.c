/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/yaml_fields.h"
#include "baseline/yaml_internal.h"

#include "base/guard.h"

#include <inttypes.h>
#include <stdio.h>

const char *iv_yaml_what(const struct iv_yaml_node *node)
{
    if (node->kind != IV_YAML_SCALAR) {
        return node->kind == IV_YAML_MAP ? "a mapping" : "a list";
    }
    if (node->style != IV_YAML_PLAIN) {
        return "a string";
    }
    switch (iv_yaml_plain(node->text).kind) {
    case IV_KIND_NULL:
        return "nothing";
    case IV_KIND_BOOL:
        return "a boolean";
    case IV_KIND_INT:
    case IV_KIND_DOUBLE:
        return "a number";
    case IV_KIND_DURATION:
        return "a duration";
    case IV_KIND_TIMESTAMP:
        return "a time";
    default:
        return "a string";
    }
}

struct iv_yaml_hint iv_yaml_nearest(struct iv_str name, const struct iv_str *candidates, size_t count)
{
    struct iv_yaml_hint hint = {""};
    struct iv_str near = iv_str_nearest(name, candidates, count);
    if (near.p != NULL) {
        (void)snprintf(hint.text, sizeof hint.text, ", did you mean '" IV_STR_FMT "'?", IV_STR_ARG(near));
    }
    return hint;
}

static bool is_null(const struct iv_yaml_node *node)
{
    return node->kind == IV_YAML_SCALAR && node->style == IV_YAML_PLAIN &&
           iv_yaml_plain(node->text).kind == IV_KIND_NULL;
}

bool iv_yaml_open(struct iv_yaml_map *out, const struct iv_yaml_node *node, const char *what,
                  struct iv_problems *problems)
{
    *out = (struct iv_yaml_map){.node = node, .problems = problems, .what = what};
    if (node != NULL && node->kind != IV_YAML_MAP) {
        iv_yaml_error(problems, node, "%s must be a mapping, not %s", what, iv_yaml_what(node));
        out->node = NULL;
    }
    return out->node != NULL;
}

const struct iv_yaml_node *iv_yaml_get(struct iv_yaml_map *map, const char *key)
{
    IV_CHECK(map->key_count < IV_YAML_KEYS_MAX);
    map->keys[map->key_count++] = key;
    return iv_yaml_at(map->node, key);
}

const struct iv_yaml_node *iv_yaml_need(struct iv_yaml_map *map, const char *key)
{
    const struct iv_yaml_node *value = iv_yaml_get(map, key);
    if (value == NULL && map->node != NULL) {
        struct iv_problems *problems = map->problems;
        iv_yaml_error(problems, map->node, "%s lacks the key '%s'", map->what, key);
    }
    return value;
}

void iv_yaml_close(struct iv_yaml_map *map)
{
    struct iv_str names[IV_YAML_KEYS_MAX];
    for (size_t i = 0; i < map->key_count; i++) {
        names[i] = iv_str_of(map->keys[i]);
    }
    for (size_t i = 0; map->node != NULL && i < map->node->count; i++) {
        const struct iv_yaml_node *key = map->node->pairs[i].key;
        bool known = false;
        for (size_t k = 0; k < map->key_count && !known; k++) {
            known = iv_str_eq(key->text, names[k]);
        }
        if (!known) {
            iv_yaml_error(map->problems, key, "unknown key '" IV_STR_FMT "' in %s%s", IV_STR_ARG(key->text),
                          map->what, iv_yaml_nearest(key->text, names, map->key_count).text);
        }
    }
}

static bool expect_scalar(const struct iv_yaml_node *node, const char *expected, struct iv_problems *problems)
{
    if (node == NULL) {
        return false;
    }
    if (node->kind != IV_YAML_SCALAR || is_null(node)) {
        iv_yaml_error(problems, node, "must be %s, not %s", expected, iv_yaml_what(node));
        return false;
    }
    return true;
}

bool iv_yaml_string(struct iv_str *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (!expect_scalar(node, "a string", problems)) {
        return false;
    }
    *out = node->text;
    return true;
}

/* The value of a plain scalar of one kind, or a problem. */
static bool expect_plain(struct iv_val *out, const struct iv_yaml_node *node, enum iv_kind kind,
                         const char *expected, struct iv_problems *problems)
{
    if (!expect_scalar(node, expected, problems)) {
        return false;
    }
    *out = iv_yaml_plain(node->text);
    if (out->kind == kind) {
        return true;
    }
    iv_yaml_error(problems, node, "must be %s, not '" IV_STR_FMT "'", expected, IV_STR_ARG(node->text));
    return false;
}

bool iv_yaml_bool(bool *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    struct iv_val v;
    bool ok = expect_plain(&v, node, IV_KIND_BOOL, "true or false", problems);
    *out = ok ? v.b : *out;
    return ok;
}

bool iv_yaml_int(int64_t *out, const struct iv_yaml_node *node, int64_t min, int64_t max,
                 struct iv_problems *problems)
{
    struct iv_val v;
    if (!expect_plain(&v, node, IV_KIND_INT, "an integer", problems)) {
        return false;
    }
    if (v.i < min || v.i > max) {
        iv_yaml_error(problems, node, "must be from %" PRId64 " to %" PRId64 ", not %" PRId64, min, max, v.i);
        return false;
    }
    *out = v.i;
    return true;
}

bool iv_yaml_duration(iv_ns *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (!expect_scalar(node, "a duration such as 250ms, 5m or 30d", problems)) {
        return false;
    }
    struct iv_instant d;
    iv_ns ns;
    if (!iv_duration_parse(&d, node->text, true)) {
        iv_yaml_error(problems, node, "must be a duration such as 250ms, 5m or 30d, not '" IV_STR_FMT "'",
                      IV_STR_ARG(node->text));
        return false;
    }
    if (d.s < 0 || !iv_instant_to_ns(&ns, d)) {
        iv_yaml_error(problems, node, "must be a duration from 0s to 292 years, not '" IV_STR_FMT "'",
                      IV_STR_ARG(node->text));
        return false;
    }
    *out = ns;
    return true;
}

bool iv_yaml_instant(struct iv_instant *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    if (!expect_scalar(node, "a time such as 2026-01-01T00:00:00Z", problems)) {
        return false;
    }
    if (!iv_instant_parse(out, node->text)) {
        iv_yaml_error(problems, node, "must be a time such as 2026-01-01T00:00:00Z, not '" IV_STR_FMT "'",
                      IV_STR_ARG(node->text));
        return false;
    }
    return true;
}

bool iv_yaml_choice(size_t *out, const struct iv_yaml_node *node, const char *const *names, size_t count,
                    struct iv_problems *problems)
{
    char all[256] = "";
    struct iv_str slices[16];
    IV_CHECK(count <= IV_COUNT(slices));
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const char *glue = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        int w = snprintf(all + n, sizeof all - n, "%s%s", glue, names[i]);
        n += w > 0 && (size_t)w < sizeof all - n ? (size_t)w : 0;
        slices[i] = iv_str_of(names[i]);
    }
    if (!expect_scalar(node, all, problems)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (iv_str_eq(node->text, slices[i])) {
            *out = i;
            return true;
        }
    }
    iv_yaml_error(problems, node, "must be %s, not '" IV_STR_FMT "'%s", all, IV_STR_ARG(node->text),
                  iv_yaml_nearest(node->text, slices, count).text);
    return false;
}

struct iv_yaml_items iv_yaml_items(const struct iv_yaml_node *node, struct iv_problems *problems)
{
    struct iv_yaml_items items = {NULL, NULL, 0};
    if (node != NULL && node->kind == IV_YAML_LIST) {
        items.nodes = node->items;
        items.count = node->count;
    } else if (expect_scalar(node, "a string or a list of strings", problems)) {
        items.one = node;
        items.count = 1;
    }
    return items;
}

bool iv_yaml_list(struct iv_yaml_items *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    *out = (struct iv_yaml_items){NULL, NULL, 0};
    if (node == NULL) {
        return false;
    }
    if (node->kind != IV_YAML_LIST) {
        iv_yaml_error(problems, node, "must be a list, not %s", iv_yaml_what(node));
        return false;
    }
    *out = (struct iv_yaml_items){node->items, NULL, node->count};
    return true;
}
