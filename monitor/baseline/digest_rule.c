/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/digest.h"

#include "base/encode.h"
#include "base/guard.h"

#include <string.h>

/* Pairs of a map that grows in the arena. */
struct pairs {
    struct iv_digesting *d;
    struct iv_val *items;
    uint32_t count;
    uint32_t capacity;
    bool failed;
};

static void add(struct pairs *p, struct iv_str key, struct iv_val value)
{
    if (p->count == p->capacity && !p->failed) {
        uint32_t capacity = p->capacity == 0 ? 16 : 2 * p->capacity;
        struct iv_val *items = iv_arena_alloc(&p->d->arena, 2 * (size_t)capacity * sizeof *items);
        p->failed = items == NULL;
        if (!p->failed && p->count > 0) {
            memcpy(items, p->items, 2 * (size_t)p->count * sizeof *items);
        }
        p->items = items;
        p->capacity = capacity;
    }
    if (!p->failed) {
        p->items[2 * p->count] = iv_val_str(key);
        p->items[2 * p->count + 1] = value;
        p->count++;
    }
}

static struct iv_val map_of(const struct pairs *p)
{
    return (struct iv_val){.kind = IV_KIND_MAP, .n = p->count, .items = p->items};
}

static struct iv_val text_of(const char *text)
{
    return iv_val_str(iv_str_of(text));
}

static bool is_for_people(struct iv_str key)
{
    static const char *const words[] = {"title", "description", "severity", "criteria",
                                        "mode",  "remediate",   "tests"};
    for (size_t i = 0; i < IV_COUNT(words); i++) {
        if (iv_str_eq(key, iv_str_of(words[i]))) {
            return true;
        }
    }
    return false;
}

static struct iv_rc_s add_text(struct pairs *out, const struct iv_yaml_node *node, struct iv_err *err)
{
    struct pairs text = {.d = out->d};
    struct iv_val whole;
    TRY(iv_digest_node(out->d, &whole, node, err));
    for (uint32_t i = 0; i < whole.n; i++) {
        struct iv_str key = iv_val_slice(whole.items[2 * i]);
        if (!is_for_people(key)) {
            add(&text, key, whole.items[2 * i + 1]);
        }
    }
    out->failed = out->failed || text.failed;
    add(out, IV_STR("rule"), map_of(&text));
    return IV_OK;
}

/* Of a type, once for all rules. */
static struct iv_rc_s digest_type(struct iv_digesting *d, struct iv_digest *out,
                                  const struct iv_event_type *type, struct iv_err *err)
{
    struct pairs fields = {.d = d};
    add(&fields, IV_STR("$stream"), text_of(iv_stream_name(type->stream)));
    for (uint8_t i = 0; i < type->field_count; i++) {
        add(&fields, type->fields[i].name, text_of(iv_ftype_name(type->fields[i].type)));
    }
    ENSURE(!fields.failed, err, IV_E_NOMEM, "cannot hold the baseline in memory");
    struct iv_val map = map_of(&fields);
    return iv_digest_value(d, out, &map, err);
}

static struct iv_rc_s add_type(struct pairs *out, const struct iv_event_type *type, struct iv_err *err)
{
    struct iv_digest *digest = &out->d->types[type->index];
    struct iv_buf hex;
    if (digest->n == 0) {
        TRY(digest_type(out->d, digest, type, err));
    }
    iv_buf_init(&hex, 256);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest->bytes, digest->n});
    bool whole = !iv_buf_failed(&hex);
    struct iv_str kept = iv_arena_str(&out->d->arena, iv_buf_slice(&hex));
    iv_buf_deinit(&hex);
    ENSURE(whole && kept.p != NULL, err, IV_E_NOMEM, "cannot hold the baseline in memory");
    add(out, type->name, iv_val_str(kept));
    return IV_OK;
}

/* Every type that is selected, by either side; the unknown one has the empty name. */
static struct iv_rc_s add_types(struct pairs *out, const struct iv_load *load, const struct iv_rule *rule,
                                struct iv_err *err)
{
    const struct iv_catalogue *catalogue = load->body->catalogue;
    struct pairs types = {.d = out->d};
    for (size_t i = 0; i <= iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = i < iv_catalogue_types(catalogue)
                                               ? iv_catalogue_type(catalogue, i)
                                               : iv_catalogue_unknown(catalogue);
        if (iv_selector_has(&rule->on, type) ||
            (rule->has_partner && iv_selector_has(&rule->with.select, type))) {
            TRY(add_type(&types, type, err));
        }
    }
    out->failed = out->failed || types.failed;
    add(out, IV_STR("types"), map_of(&types));
    return IV_OK;
}

static void read_by_terms(bool *read, const struct iv_param *root, const struct iv_terms *terms)
{
    for (uint8_t i = 0; i < terms->count; i++) {
        iv_param_reads(read, root, terms->terms[i].prog);
    }
}

/* The leaves that any of the rule's programs reads. */
static void find_reads(bool *read, const struct iv_param *root, const struct iv_rule *rule)
{
    const struct iv_cel_prog *const programs[] = {rule->where,
                                                  rule->condition,
                                                  rule->at_least.prog,
                                                  rule->span.prog,
                                                  rule->max.prog,
                                                  rule->with.window.length.prog,
                                                  rule->with.window.until,
                                                  rule->tree.note};
    const struct iv_terms *const terms[] = {&rule->with.key_on, &rule->with.key_with, &rule->distinct,
                                            &rule->by, &rule->of};
    for (size_t i = 0; i < IV_COUNT(programs); i++) {
        iv_param_reads(read, root, programs[i]);
    }
    for (size_t i = 0; i < IV_COUNT(terms); i++) {
        read_by_terms(read, root, terms[i]);
    }
}

/* By path; values: of each leaf, absent where it is left out. */
static void add_leaves(struct pairs *out, const struct iv_param *param, struct iv_str path,
                       const struct iv_val *values)
{
    if (param->leaf && values[param->leaf_index].kind != IV_KIND_ABSENT) {
        add(out, path, values[param->leaf_index]);
    }
    for (size_t i = 0; i < param->child_count; i++) {
        const struct iv_param *child = &param->children[i];
        /* A name may hold a dot; no name holds a line feed. */
        struct iv_str longer = iv_arena_printf(&out->d->arena, IV_STR_FMT "\n" IV_STR_FMT, IV_STR_ARG(path),
                                               IV_STR_ARG(child->name));
        out->failed = out->failed || longer.p == NULL;
        if (longer.p != NULL) {
            add_leaves(out, child, longer, values);
        }
    }
}

static struct iv_val glob_of(struct iv_str pattern)
{
    return pattern.p == NULL ? (struct iv_val){.kind = IV_KIND_NULL} : iv_val_str(pattern);
}

/* An override that sets none of the leaves is none of the rule's business. */
static bool add_override(struct pairs *out, const struct iv_load *load, const struct iv_override *o,
                         const bool *read, struct iv_val *values)
{
    bool any = false;
    memset(values, 0, load->body->leaf_count * sizeof *values);
    for (size_t v = 0; v < o->value_count; v++) {
        if (read[o->values[v].leaf_index]) {
            values[o->values[v].leaf_index] = o->values[v].value;
            any = true;
        }
    }
    if (any) {
        add(out, IV_STR("$tenant"), glob_of(o->match.tenant));
        add(out, IV_STR("$agent"), glob_of(o->match.agent));
        add(out, IV_STR("$profile"), glob_of(o->match.profile));
        add_leaves(out, &load->body->parameters, IV_STR(""), values);
    }
    return any;
}

static struct iv_rc_s add_parameters(struct pairs *out, struct iv_load *load, const struct iv_rule *rule,
                                     struct iv_err *err)
{
    const struct iv_baseline_body *body = load->body;
    size_t leaves = (size_t)body->leaf_count + 1;
    bool *read = iv_arena_zalloc(&out->d->arena, leaves);
    struct iv_val *values = iv_arena_zalloc(&out->d->arena, leaves * sizeof *values);
    struct iv_val *overrides =
        iv_arena_zalloc(&out->d->arena, (body->override_count + 1) * sizeof *overrides);
    ENSURE(read != NULL && values != NULL && overrides != NULL, err, IV_E_NOMEM,
           "cannot hold the baseline in memory");
    find_reads(read, &body->parameters, rule);
    iv_param_defaults(values, &body->parameters);
    for (uint32_t i = 0; i < body->leaf_count; i++) {
        values[i] = read[i] ? values[i] : (struct iv_val){0};
    }
    struct pairs defaults = {.d = out->d};
    add_leaves(&defaults, &body->parameters, IV_STR(""), values);
    out->failed = out->failed || defaults.failed;
    add(out, IV_STR("parameters"), map_of(&defaults));
    uint32_t count = 0;
    for (size_t o = 0; o < body->override_count; o++) {
        struct pairs one = {.d = out->d};
        if (add_override(&one, load, &body->overrides[o], read, values)) {
            overrides[count++] = map_of(&one);
        }
        out->failed = out->failed || one.failed;
    }
    add(out, IV_STR("overrides"), (struct iv_val){.kind = IV_KIND_LIST, .n = count, .items = overrides});
    return IV_OK;
}

static void add_streams(struct pairs *out, const struct iv_load *load, const struct iv_rule *rule)
{
    for (int s = 0; s < IV_STREAMS && rule->form == IV_REQUIRE; s++) {
        const struct iv_stream_policy *policy = &load->body->pub.streams[s];
        if (rule->with.select.streams[s]) {
            add(out, iv_str_of(iv_stream_name((enum iv_stream)s)),
                text_of(policy->grade == IV_GRADE_COMPLETE
                            ? policy->history == IV_HISTORY_FULL ? "complete full" : "complete partial"
                        : policy->history == IV_HISTORY_FULL ? "best_effort full"
                                                             : "best_effort partial"));
        }
    }
}

struct iv_rc_s iv_digest_rule(struct iv_load *load, struct iv_digesting *d, struct iv_rule *rule,
                              const struct iv_yaml_node *node, struct iv_err *err)
{
    struct pairs all = {.d = d};
    struct iv_digest digest;
    TRY(add_text(&all, node, err));
    TRY(add_types(&all, load, rule, err));
    TRY(add_parameters(&all, load, rule, err));
    add_streams(&all, load, rule);
    if (rule->checks_signature || rule->tree.note != NULL) {
        struct iv_val keys;
        TRY(iv_digest_node(d, &keys, iv_yaml_at(load->root, "keys"), err));
        add(&all, IV_STR("keys"), keys);
    }
    ENSURE(!all.failed, err, IV_E_NOMEM, "cannot hold the baseline in memory");
    struct iv_val map = map_of(&all);
    TRY(iv_digest_value(d, &digest, &map, err));
    memcpy(rule->digest, digest.bytes, sizeof rule->digest);
    iv_arena_reset(&d->arena);
    return IV_OK;
}
