/* SPDX-License-Identifier: Apache-2.0 */
/* One side of a rule: which event types it selects, and the fields that they have together. */
#include "baseline/rule_parts.h"

#include "base/guard.h"
#include "baseline/event_schema.h"

static void take(struct iv_side *side, uint64_t *types, const struct iv_event_type *type)
{
    types[type->index / 64] |= UINT64_C(1) << (type->index % 64);
    side->select.streams[type->stream] = true;
}

/* Events of unknown types are known on the ledger only: they keep their place in its chain. */
static void take_unknown(struct iv_side *side, uint64_t *types, const struct iv_catalogue *catalogue)
{
    size_t index = iv_catalogue_types(catalogue);
    types[index / 64] |= UINT64_C(1) << (index % 64);
    side->select.streams[IV_LEDGER] = true;
}

static void report_unknown(struct iv_load *load, const struct iv_yaml_node *node, struct iv_str name)
{
    const struct iv_catalogue *catalogue = load->body->catalogue;
    size_t count = iv_catalogue_types(catalogue);
    struct iv_str *names = iv_load_alloc(load, count, sizeof *names);
    for (size_t i = 0; names != NULL && i < count; i++) {
        names[i] = iv_catalogue_type(catalogue, i)->name;
    }
    bool glob = memchr(name.p, '*', name.n) != NULL || memchr(name.p, '?', name.n) != NULL;
    if (glob) {
        iv_yaml_error(load->problems, node, "no event type matches '" IV_STR_FMT "'", IV_STR_ARG(name));
    } else {
        iv_yaml_error(load->problems, node, "unknown event type '" IV_STR_FMT "'%s", IV_STR_ARG(name),
                      iv_yaml_nearest(name, names, names == NULL ? 0 : count).text);
    }
}

static bool take_named(struct iv_load *load, struct iv_side *side, uint64_t *types,
                       const struct iv_yaml_node *node)
{
    const struct iv_catalogue *catalogue = load->body->catalogue;
    struct iv_str name;
    if (!iv_yaml_string(&name, node, load->problems)) {
        return false;
    }
    bool any = iv_str_eq(name, IV_STR("*"));
    if (any) {
        take_unknown(side, types, catalogue);
    }
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(catalogue, i);
        if (iv_glob(name, type->name)) {
            take(side, types, type);
            any = true;
        }
    }
    if (!any) {
        report_unknown(load, node, name);
    }
    return any;
}

static bool take_events(struct iv_load *load, struct iv_side *side, uint64_t *types,
                        const struct iv_yaml_node *node)
{
    struct iv_yaml_items items = iv_yaml_items(node, load->problems);
    bool all = items.count > 0;
    if (node->kind == IV_YAML_LIST && items.count == 0) {
        iv_yaml_error(load->problems, node, "names no event type");
    }
    for (size_t i = 0; i < items.count; i++) {
        all = take_named(load, side, types, iv_yaml_item(&items, i)) && all;
    }
    return all;
}

static bool take_stream(struct iv_load *load, struct iv_side *side, uint64_t *types,
                        const struct iv_yaml_node *node)
{
    static const char *const names[] = {[IV_LEDGER] = "ledger", [IV_TELEMETRY] = "telemetry"};
    const struct iv_catalogue *catalogue = load->body->catalogue;
    size_t stream;
    if (!iv_yaml_choice(&stream, node, names, IV_COUNT(names), load->problems)) {
        return false;
    }
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        if (iv_catalogue_type(catalogue, i)->stream == (enum iv_stream)stream) {
            take(side, types, iv_catalogue_type(catalogue, i));
        }
    }
    if (stream == IV_LEDGER) {
        take_unknown(side, types, catalogue);
    }
    side->select.streams[stream] = true;
    return true;
}

static bool make_schema(struct iv_load *load, struct iv_side *side)
{
    struct iv_baseline_body *body = load->body;
    side->type = iv_event_schema(&body->arena, body->catalogue, &side->select);
    if (side->type == NULL) {
        iv_load_fail(load, iv_err_set(load->err, IV_E_NOMEM, "cannot hold the baseline in memory"));
        return false;
    }
    side->schema = side->type->schema;
    return true;
}

static bool is_name(struct iv_str s)
{
    static const char *const reserved[] = {
        "as",     "break",  "const", "continue", "else",  "false",     "for",  "function",
        "if",     "import", "in",    "let",      "loop",  "namespace", "null", "package",
        "return", "true",   "var",   "void",     "while", "baseline",
    };
    for (size_t i = 0; i < IV_COUNT(reserved); i++) {
        if (iv_str_eq(s, iv_str_of(reserved[i]))) {
            return false;
        }
    }
    return iv_is_word(s);
}

static void load_alias(struct iv_rule_load *rl, struct iv_side *side, const struct iv_yaml_node *node)
{
    struct iv_problems *problems = rl->load->problems;
    struct iv_str alias;
    if (!iv_yaml_string(&alias, node, problems)) {
        return;
    }
    if (!is_name(alias)) {
        iv_yaml_error(problems, node, "'" IV_STR_FMT "' cannot be a name in expressions", IV_STR_ARG(alias));
    } else if (side->slot == IV_SLOT_PARTNER && rl->on.alias.p != NULL && iv_str_eq(alias, rl->on.alias)) {
        iv_yaml_error(problems, node, "the trigger is called '" IV_STR_FMT "' already", IV_STR_ARG(alias));
    } else {
        side->alias = iv_load_str(rl->load, alias);
    }
}

bool iv_side_load(struct iv_rule_load *rl, struct iv_side *out, struct iv_yaml_map *map, uint16_t slot)
{
    struct iv_load *load = rl->load;
    *out = (struct iv_side){.slot = slot};
    const struct iv_yaml_node *event = iv_yaml_get(map, "event");
    const struct iv_yaml_node *stream = iv_yaml_get(map, "stream");
    load_alias(rl, out, iv_yaml_get(map, "as"));
    if (map->node == NULL) {
        return false;
    }
    if ((event == NULL) == (stream == NULL)) {
        iv_yaml_error(load->problems, map->node, "%s names its events by either 'event' or 'stream'",
                      map->what);
        return false;
    }
    uint64_t *types = iv_load_alloc(load, iv_catalogue_types(load->body->catalogue) / 64 + 1, sizeof *types);
    if (types == NULL) {
        return false;
    }
    out->select.types = types;
    bool taken = event != NULL ? take_events(load, out, types, event) : take_stream(load, out, types, stream);
    return taken && make_schema(load, out);
}

bool iv_side_is_ledger(const struct iv_load *load, const struct iv_side *side)
{
    const struct iv_catalogue *catalogue = load->body->catalogue;
    bool all = iv_selector_has(&side->select, iv_catalogue_unknown(catalogue));
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        const struct iv_event_type *type = iv_catalogue_type(catalogue, i);
        all = all && iv_selector_has(&side->select, type) == (type->stream == IV_LEDGER);
    }
    return all;
}

const struct iv_cel_field *iv_side_field(const struct iv_side *side, struct iv_str name)
{
    for (size_t i = 0; side->schema != NULL && i < side->schema->field_count; i++) {
        if (iv_str_eq(side->schema->fields[i].name, name)) {
            return &side->schema->fields[i];
        }
    }
    return NULL;
}
