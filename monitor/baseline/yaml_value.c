/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain scalar is, and nodes as values. */
#include "baseline/yaml_internal.h"

#include "base/guard.h"

#include <errno.h>
#include <stdlib.h>

static size_t digits(struct iv_str s, size_t at)
{
    size_t n = 0;
    while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9') {
        n++;
    }
    return n;
}

/* YAML 1.2 10.3.2: [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_number(bool *integral, struct iv_str s)
{
    size_t at = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    size_t whole = digits(s, at);
    at += whole;
    *integral = true;
    if (at < s.n && s.p[at] == '.') {
        size_t fraction = digits(s, at + 1);
        if (whole == 0 && fraction == 0) {
            return false;
        }
        at += 1 + fraction;
        *integral = false;
    } else if (whole == 0) {
        return false;
    }
    if (at < s.n && (s.p[at] == 'e' || s.p[at] == 'E')) {
        at++;
        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        size_t exponent = digits(s, at);
        at += exponent;
        *integral = false;
        return exponent > 0 && at == s.n;
    }
    return at == s.n;
}

static bool one_of(struct iv_str s, const char *const names[3])
{
    return iv_str_eq(s, iv_str_of(names[0])) || iv_str_eq(s, iv_str_of(names[1])) ||
           iv_str_eq(s, iv_str_of(names[2]));
}

struct iv_val iv_yaml_plain(struct iv_str text)
{
    static const char *const nulls[] = {"null", "Null", "NULL"};
    static const char *const trues[] = {"true", "True", "TRUE"};
    static const char *const falses[] = {"false", "False", "FALSE"};
    if (text.n == 0 || iv_str_eq(text, IV_STR("~")) || one_of(text, nulls)) {
        return (struct iv_val){.kind = IV_KIND_NULL};
    }
    if (one_of(text, trues) || one_of(text, falses)) {
        return iv_val_bool(one_of(text, trues));
    }
    bool integral;
    if (is_number(&integral, text)) {
        errno = 0;
        int64_t i = integral ? strtoll(text.p, NULL, 10) : 0;
        return integral && errno == 0 ? iv_val_int(i) : iv_val_double(strtod(text.p, NULL));
    }
    struct iv_instant t;
    if (iv_duration_parse(&t, text, true)) {
        return iv_val_duration(t);
    }
    if (iv_instant_parse(&t, text)) {
        return iv_val_timestamp(t);
    }
    return iv_val_str(text);
}

/* The depth of a document is bounded, and with it this recursion. */
bool iv_yaml_value(struct iv_val *out, struct iv_arena *arena, const struct iv_yaml_node *node)
{
    if (node->kind == IV_YAML_SCALAR) {
        struct iv_str text = iv_arena_str(arena, node->text);
        *out = node->style == IV_YAML_PLAIN ? iv_yaml_plain(text) : iv_val_str(text);
        return text.p != NULL;
    }
    bool map = node->kind == IV_YAML_MAP;
    size_t n = map ? node->count * 2 : node->count;
    struct iv_val *items = iv_arena_alloc(arena, (n + 1) * sizeof *items);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct iv_yaml_node *value = map ? node->pairs[i].value : node->items[i];
        if (map) {
            struct iv_str key = iv_arena_str(arena, node->pairs[i].key->text);
            if (key.p == NULL) {
                return false;
            }
            items[2 * i] = iv_val_str(key);
        }
        if (!iv_yaml_value(&items[map ? 2 * i + 1 : i], arena, value)) {
            return false;
        }
    }
    *out =
        (struct iv_val){.kind = map ? IV_KIND_MAP : IV_KIND_LIST, .n = (uint32_t)node->count, .items = items};
    return true;
}
