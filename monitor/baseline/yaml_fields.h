/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a mapping key by key, with typed values and all mistakes reported.
 * Purpose: whoever reads a document says which keys there are by asking for them; what was not asked for is
 * unknown.
 * Guarantee: a getter that answers false has reported why, unless its node was NULL (the key is absent).
 *
 *     struct iv_yaml_map map;
 *     iv_yaml_open(&map, node, "stream", problems);
 *     bool ok = iv_yaml_string(&topic, iv_yaml_need(&map, "topic"), problems);
 *     iv_yaml_duration(&lateness, iv_yaml_get(&map, "lateness"), problems);
 *     iv_yaml_close(&map); */
#pragma once

#include "base/time.h"
#include "baseline/yaml.h"

#define IV_YAML_KEYS_MAX 48

struct iv_yaml_map {
    const struct iv_yaml_node *node; /* NULL: absent, or no mapping */
    struct iv_problems *problems;
    const char *what; /* "rule": for messages */
    const char *keys[IV_YAML_KEYS_MAX];
    size_t key_count;
};

/* False where the node is absent or is no mapping; the map is usable all the same, and empty. */
bool iv_yaml_open(struct iv_yaml_map *out, const struct iv_yaml_node *node, const char *what,
                  struct iv_problems *problems);
const struct iv_yaml_node *iv_yaml_get(struct iv_yaml_map *map, const char *key);
/* Reports an absent key. */
const struct iv_yaml_node *iv_yaml_need(struct iv_yaml_map *map, const char *key);
/* Reports the keys that nobody asked for, each with the nearest that was. */
void iv_yaml_close(struct iv_yaml_map *map);

/* Scalars. The output is written on success only, so that it may hold the default. */
bool iv_yaml_string(struct iv_str *out, const struct iv_yaml_node *node, struct iv_problems *problems);
bool iv_yaml_bool(bool *out, const struct iv_yaml_node *node, struct iv_problems *problems);
bool iv_yaml_int(int64_t *out, const struct iv_yaml_node *node, int64_t min, int64_t max,
                 struct iv_problems *problems);
/* "250ms", "5m", "30d"; not below 0. */
bool iv_yaml_duration(iv_ns *out, const struct iv_yaml_node *node, struct iv_problems *problems);
bool iv_yaml_instant(struct iv_instant *out, const struct iv_yaml_node *node, struct iv_problems *problems);
/* One of names, as its index. */
bool iv_yaml_choice(size_t *out, const struct iv_yaml_node *node, const char *const *names, size_t count,
                    struct iv_problems *problems);

/* A list, or a scalar that stands for a list of one. count is 0 where it is neither, which is reported. */
struct iv_yaml_items {
    const struct iv_yaml_node *const *nodes;
    const struct iv_yaml_node *one;
    size_t count;
};
struct iv_yaml_items iv_yaml_items(const struct iv_yaml_node *node, struct iv_problems *problems);
static inline const struct iv_yaml_node *iv_yaml_item(const struct iv_yaml_items *items, size_t i)
{
    return items->nodes == NULL ? items->one : items->nodes[i];
}
/* Expects a list proper. */
bool iv_yaml_list(struct iv_yaml_items *out, const struct iv_yaml_node *node, struct iv_problems *problems);

/* "mapping", "list", "string", "number", …: what a node is, for messages. */
const char *iv_yaml_what(const struct iv_yaml_node *node);
/* ", did you mean 'x'?" or nothing. */
struct iv_yaml_hint {
    char text[160];
};
struct iv_yaml_hint iv_yaml_nearest(struct iv_str name, const struct iv_str *candidates, size_t count);
