/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/settings.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/secret.h"
#include "baseline/yaml_fields.h"

#include <string.h>

struct reading {
    struct iv_alerting *alerting;
    struct iv_problems *problems;
    bool out_of_memory;
};

static void *take(struct reading *r, size_t bytes)
{
    void *p = iv_arena_zalloc(&r->alerting->arena, bytes);
    r->out_of_memory = r->out_of_memory || p == NULL;
    return p;
}

static struct iv_str keep(struct reading *r, struct iv_str s)
{
    struct iv_str kept = iv_arena_str(&r->alerting->arena, s);
    r->out_of_memory = r->out_of_memory || kept.p == NULL;
    return kept;
}

static void read_text(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_str text = {NULL, 0};
    if (node != NULL && iv_yaml_string(&text, node, r->problems)) {
        *out = keep(r, text);
    }
}

/* The first line of the file that the node names. */
static void read_secret(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_str path = {NULL, 0};
    if (node == NULL || !iv_yaml_string(&path, node, r->problems)) {
        return;
    }
    IV_AUTO(iv_buf_wipe) struct iv_buf content;
    struct iv_err why = {.text = ""};
    if (!iv_ok(iv_secret_read(&content, path, IV_SECRET_LINE, &why))) {
        iv_yaml_error(r->problems, node, "%s", why.text);
    } else {
        *out = keep(r, iv_buf_slice(&content));
    }
}

static const struct iv_str *read_texts(size_t *count, struct reading *r, const struct iv_yaml_node *node)
{
    *count = 0;
    if (node == NULL) {
        return NULL;
    }
    struct iv_yaml_items items = iv_yaml_items(node, r->problems);
    struct iv_str *out = take(r, (items.count + 1) * sizeof *out);
    for (size_t i = 0; out != NULL && i < items.count; i++) {
        read_text(&out[*count], r, iv_yaml_item(&items, i));
        *count += out[*count].p != NULL ? 1 : 0;
    }
    if (items.count == 0) {
        iv_yaml_error(r->problems, node, "an empty list names nobody");
    }
    return out;
}

static void read_setting(struct iv_setting_value *out, struct reading *r, const struct iv_setting *s,
                         const struct iv_yaml_node *node)
{
    switch (s->form) {
    case IV_SETTING_TEXT:
    case IV_SETTING_FILE:
        read_text(&out->text, r, node);
        break;
    case IV_SETTING_SECRET:
        read_secret(&out->text, r, node);
        break;
    case IV_SETTING_TEXTS:
        out->items = read_texts(&out->item_count, r, node);
        break;
    case IV_SETTING_FLAG:
        (void)(node != NULL && iv_yaml_bool(&out->yes, node, r->problems));
        break;
    case IV_SETTING_CHOICE:
        (void)(node != NULL && iv_yaml_choice(&out->choice, node, s->choices, s->choice_count, r->problems));
        break;
    case IV_SETTING_NUMBER:
        out->number = s->number;
        (void)(node != NULL && iv_yaml_int(&out->number, node, 0, s->max, r->problems));
        break;
    }
}

static const struct iv_sink_kind *read_kind(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_str names[IV_ALERT_SINKS_MAX];
    if (node->kind != IV_YAML_MAP || node->count != 1) {
        iv_yaml_error(r->problems, node, "a sink must be a mapping of its one kind to the kind's settings");
        return NULL;
    }
    const struct iv_yaml_node *key = node->pairs[0].key;
    const struct iv_sink_kind *kind = iv_sink_kind(key->text);
    for (size_t i = 0; i < iv_sink_kind_count; i++) {
        names[i] = iv_str_of(iv_sink_kinds[i]->name);
    }
    if (kind == NULL) {
        struct iv_yaml_hint hint = iv_yaml_nearest(key->text, names, iv_sink_kind_count);
        iv_yaml_error(r->problems, key, "there is no kind of sink '" IV_STR_FMT "'%s", IV_STR_ARG(key->text),
                      hint.text);
    }
    return kind;
}

static void read_sink(struct reading *r, struct iv_alert_sink *out, const struct iv_yaml_pair *pair)
{
    struct iv_yaml_map map;
    struct iv_err why = {.text = ""};
    out->name = keep(r, pair->key->text);
    out->kind = read_kind(r, pair->value);
    if (out->kind == NULL) {
        return;
    }
    bool whole = iv_yaml_open(&map, pair->value->pairs[0].value, out->kind->name, r->problems);
    for (size_t i = 0; i < out->kind->setting_count; i++) {
        const struct iv_setting *s = &out->kind->settings[i];
        const struct iv_yaml_node *node =
            s->required ? iv_yaml_need(&map, s->name) : iv_yaml_get(&map, s->name);
        read_setting(&out->values[i], r, s, node);
        whole = whole && (!s->required || out->values[i].text.p != NULL || out->values[i].item_count > 0);
    }
    iv_yaml_close(&map);
    if (whole && !iv_ok(out->kind->check(out, &why))) {
        iv_yaml_error(r->problems, pair->key, "%s", why.text);
    }
}

static void read_sinks(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_alerting *a = r->alerting;
    if (node == NULL) {
        return;
    }
    if (node->kind != IV_YAML_MAP || node->count == 0 || node->count > IV_ALERT_SINKS_MAX) {
        iv_yaml_error(r->problems, node,
                      "alerts.sinks must be a mapping from 1 to %d names to sinks, got a %s",
                      IV_ALERT_SINKS_MAX, iv_yaml_what(node));
        return;
    }
    a->sinks = take(r, node->count * sizeof *a->sinks);
    for (size_t i = 0; a->sinks != NULL && i < node->count; i++) {
        read_sink(r, &a->sinks[a->sink_count++], &node->pairs[i]);
    }
}

static uint32_t read_to(struct reading *r, const struct iv_yaml_node *node)
{
    const struct iv_alerting *a = r->alerting;
    uint32_t to = 0;
    if (node == NULL) {
        return 0;
    }
    struct iv_str names[IV_ALERT_SINKS_MAX];
    for (size_t k = 0; k < a->sink_count; k++) {
        names[k] = a->sinks[k].name;
    }
    struct iv_yaml_items items = iv_yaml_items(node, r->problems);
    for (size_t i = 0; i < items.count; i++) {
        struct iv_str name = {NULL, 0};
        const struct iv_yaml_node *item = iv_yaml_item(&items, i);
        size_t k = 0;
        if (!iv_yaml_string(&name, item, r->problems)) {
            continue;
        }
        while (k < a->sink_count && !iv_str_eq(names[k], name)) {
            k++;
        }
        if (k == a->sink_count) {
            struct iv_yaml_hint hint = iv_yaml_nearest(name, names, a->sink_count);
            iv_yaml_error(r->problems, item, "there is no sink '" IV_STR_FMT "'%s", IV_STR_ARG(name),
                          hint.text);
        } else {
            to |= 1u << k;
        }
    }
    return to;
}

static uint32_t read_severities(struct reading *r, const struct iv_yaml_node *node)
{
    static const char *const names[] = {"info", "low", "medium", "high", "critical"};
    uint32_t bits = 0;
    if (node == NULL) {
        return 0;
    }
    struct iv_yaml_items items = iv_yaml_items(node, r->problems);
    for (size_t i = 0; i < items.count; i++) {
        size_t choice = 0;
        if (iv_yaml_choice(&choice, iv_yaml_item(&items, i), names, IV_COUNT(names), r->problems)) {
            bits |= 1u << choice;
        }
    }
    return bits;
}

static void read_flag(bool *out, struct reading *r, const struct iv_yaml_node *node)
{
    (void)(node != NULL && iv_yaml_bool(out, node, r->problems));
}

static void read_route(struct reading *r, struct iv_alert_route *out, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    iv_yaml_open(&map, node, "route", r->problems);
    out->rules = read_texts(&out->rule_count, r, iv_yaml_get(&map, "rules"));
    out->criteria = read_texts(&out->criterion_count, r, iv_yaml_get(&map, "criteria"));
    out->tenants = read_texts(&out->tenant_count, r, iv_yaml_get(&map, "tenant"));
    out->severities = read_severities(r, iv_yaml_get(&map, "severity"));
    read_flag(&out->inconclusive, r, iv_yaml_get(&map, "inconclusive"));
    read_flag(&out->observed, r, iv_yaml_get(&map, "observed"));
    read_flag(&out->go_on, r, iv_yaml_get(&map, "continue"));
    out->to = read_to(r, iv_yaml_need(&map, "to"));
    iv_yaml_close(&map);
}

/* Without routes everything goes to everybody. */
static void read_routes(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_alerting *a = r->alerting;
    struct iv_yaml_items items = {.count = 0};
    if (node != NULL && (!iv_yaml_list(&items, node, r->problems) || items.count > IV_ALERT_ROUTES_MAX)) {
        iv_yaml_error(r->problems, node, "alerts.routes must be a list of at most %d routes",
                      IV_ALERT_ROUTES_MAX);
        return;
    }
    a->routes = take(r, (items.count + 1) * sizeof *a->routes);
    for (size_t i = 0; a->routes != NULL && i < items.count; i++) {
        read_route(r, &a->routes[a->route_count++], iv_yaml_item(&items, i));
    }
    if (node == NULL && a->routes != NULL) {
        a->routes[0].to = a->sink_count == 32 ? UINT32_MAX : (1u << a->sink_count) - 1;
        a->route_count = 1;
    }
}

static void read_time(iv_ns *out, struct reading *r, const struct iv_yaml_node *node, iv_ns min, iv_ns max,
                      const char *range)
{
    if (node != NULL && iv_yaml_duration(out, node, r->problems) && (*out < min || *out > max)) {
        iv_yaml_error(r->problems, node, "it must be %s, got '" IV_STR_FMT "'", range,
                      IV_STR_ARG(node->text));
    }
}

static void read_root(struct reading *r, const struct iv_yaml_node *node)
{
    const iv_ns minute = 60 * IV_NS_PER_S;
    struct iv_alerting *a = r->alerting;
    struct iv_yaml_map map;
    iv_yaml_open(&map, node, "alerts", r->problems);
    read_sinks(r, iv_yaml_need(&map, "sinks"));
    read_routes(r, iv_yaml_get(&map, "routes"));
    read_time(&a->resolve_after, r, iv_yaml_get(&map, "resolve_after"), IV_NS_PER_S, 1440 * minute,
              "between 1s and 24h");
    read_time(&a->wait, r, iv_yaml_get(&map, "wait"), 0, minute, "between 0s and 1m");
    read_time(&a->unreachable_after, r, iv_yaml_get(&map, "unreachable_after"), IV_NS_PER_S, 1440 * minute,
              "between 1s and 24h");
    read_time(&a->canary, r, iv_yaml_get(&map, "canary"), IV_NS_PER_S, 30 * 1440 * minute,
              "between 1s and 30d");
    const struct iv_yaml_node *per_rule = iv_yaml_get(&map, "per_rule");
    (void)(per_rule != NULL && iv_yaml_int(&a->per_rule, per_rule, 1, 10000, r->problems));
    read_text(&a->link, r, iv_yaml_get(&map, "link"));
    iv_yaml_close(&map);
}

iv_rc iv_alerting_read(struct iv_alerting **out, const struct iv_yaml_node *node,
                       struct iv_problems *problems, struct iv_err *err)
{
    IV_AUTO(iv_alerting_freep) struct iv_alerting *a = iv_calloc(1, sizeof *a);
    ENSURE(a != NULL, err, IV_E_NOMEM, "cannot allocate the alerts' configuration");
    iv_arena_init(&a->arena, 0);
    a->resolve_after = 300 * IV_NS_PER_S;
    a->wait = IV_NS_PER_S;
    a->unreachable_after = 120 * IV_NS_PER_S;
    a->per_rule = 20;
    struct reading r = {a, problems, false};
    if (node != NULL) {
        read_root(&r, node);
    }
    ENSURE(!r.out_of_memory, err, IV_E_NOMEM, "cannot allocate the alerts' configuration");
    *out = TAKE(a);
    return IV_OK;
}

void iv_alerting_free(struct iv_alerting *alerting)
{
    if (alerting == NULL) {
        return;
    }
    for (size_t i = 0; i < alerting->sink_count; i++) {
        const struct iv_alert_sink *sink = &alerting->sinks[i];
        for (size_t k = 0; sink->kind != NULL && k < sink->kind->setting_count; k++) {
            struct iv_str secret = sink->values[k].text;
            if (sink->kind->settings[k].form == IV_SETTING_SECRET && secret.p != NULL) {
                explicit_bzero((void *)(uintptr_t)secret.p, secret.n);
            }
        }
    }
    iv_arena_deinit(&alerting->arena);
    iv_free(alerting);
}

void iv_alerting_freep(struct iv_alerting **alerting)
{
    iv_alerting_free(*alerting);
}
