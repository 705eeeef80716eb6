/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of baseline.yaml beside parameters and rules. */
#include "baseline/load.h"

#include "base/guard.h"

void iv_load_mode(enum iv_mode *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    static const char *const names[] = {[IV_MODE_ENFORCE] = "enforce", [IV_MODE_OBSERVE] = "observe"};
    size_t i;
    if (iv_yaml_choice(&i, node, names, IV_COUNT(names), problems)) {
        *out = (enum iv_mode)i;
    }
}

void iv_load_rule_mode(enum iv_mode *out, const struct iv_yaml_node *node, struct iv_problems *problems)
{
    static const char *const names[] = {
        [IV_MODE_ENFORCE] = "enforce", [IV_MODE_OBSERVE] = "observe", [IV_MODE_CANARY] = "canary"};
    size_t i;
    if (iv_yaml_choice(&i, node, names, IV_COUNT(names), problems)) {
        *out = (enum iv_mode)i;
    }
}

static void load_stream(struct iv_load *load, struct iv_stream_policy *out, const struct iv_yaml_node *node)
{
    static const char *const grades[] = {
        [IV_GRADE_COMPLETE] = "complete", [IV_GRADE_BEST_EFFORT] = "best_effort"};
    static const char *const histories[] = {[IV_HISTORY_FULL] = "full", [IV_HISTORY_PARTIAL] = "partial"};
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, "stream", load->problems)) {
        return;
    }
    struct iv_str topic = out->topic;
    (void)iv_yaml_string(&topic, iv_yaml_get(&map, "topic"), load->problems);
    out->topic = iv_load_str(load, topic);
    (void)iv_yaml_duration(&out->lateness, iv_yaml_get(&map, "lateness"), load->problems);
    size_t i;
    if (iv_yaml_choice(&i, iv_yaml_get(&map, "grade"), grades, IV_COUNT(grades), load->problems)) {
        out->grade = (enum iv_grade)i;
    }
    if (iv_yaml_choice(&i, iv_yaml_get(&map, "history"), histories, IV_COUNT(histories), load->problems)) {
        out->history = (enum iv_history)i;
    }
    iv_yaml_close(&map);
}

void iv_load_streams(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, node, "streams", load->problems);
    for (int s = 0; s < IV_STREAMS; s++) {
        load_stream(load, &load->body->pub.streams[s], iv_yaml_get(&map, iv_stream_name((enum iv_stream)s)));
    }
    iv_yaml_close(&map);
}

/* Whoever waits for two signers does not wait for one with two names. */
static void tell_twin(struct iv_load *load, struct iv_str id, const struct iv_yaml_node *material)
{
    struct iv_str twin = iv_keyring_twin(load->body->keyring, id);
    if (twin.p != NULL) {
        iv_yaml_warning(load->problems, material,
                        "is the public key of '" IV_STR_FMT "' as well: the two are one signer, and as "
                        "approvers count once",
                        IV_STR_ARG(twin));
    }
}

static void load_key(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, node, "key", load->problems)) {
        return;
    }
    struct iv_key key = {0};
    struct iv_instant not_before;
    struct iv_instant not_after;
    const struct iv_yaml_node *material = iv_yaml_need(&map, "public_key");
    bool whole = iv_yaml_string(&key.id, iv_yaml_need(&map, "id"), load->problems);
    whole = iv_yaml_string(&key.role, iv_yaml_need(&map, "role"), load->problems) && whole;
    whole = iv_yaml_string(&key.public_key, material, load->problems) && whole;
    key.not_before =
        iv_yaml_instant(&not_before, iv_yaml_get(&map, "not_before"), load->problems) ? &not_before : NULL;
    key.not_after =
        iv_yaml_instant(&not_after, iv_yaml_get(&map, "not_after"), load->problems) ? &not_after : NULL;
    const struct iv_yaml_node *tenant = iv_yaml_get(&map, "tenant");
    if (iv_yaml_string(&key.tenant, tenant, load->problems) && key.tenant.n == 0) {
        iv_yaml_error(load->problems, tenant, "must be a tenant's name");
    }
    iv_yaml_close(&map);
    if (!whole) {
        return;
    }
    struct iv_err why = {0};
    struct iv_rc_s rc = iv_keyring_add(load->body->keyring, &key, &why);
    if (rc.code == IV_E_NOMEM) {
        iv_load_fail(load, iv_err_set(load->err, rc.code, "%s", why.text));
    } else if (!iv_ok(rc)) {
        iv_yaml_error(load->problems, material, "%s", why.text);
    } else {
        tell_twin(load, key.id, material);
    }
}

static void load_trial_keys(struct iv_load *load)
{
    for (size_t i = 0; i < load->trial->key_count && !iv_load_failed(load); i++) {
        struct iv_rc_s rc = iv_keyring_add(load->body->keyring, &load->trial->keys[i], load->err);
        if (!iv_ok(rc)) {
            iv_load_fail(load, rc);
        }
    }
}

void iv_load_keys(struct iv_load *load, const struct iv_yaml_node *node)
{
    if (load->trial != NULL && load->trial->key_count > 0) {
        load_trial_keys(load);
        return;
    }
    struct iv_yaml_items items;
    (void)iv_yaml_list(&items, node, load->problems);
    for (size_t i = 0; i < items.count; i++) {
        load_key(load, iv_yaml_item(&items, i));
    }
}

bool iv_is_word(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return s.n > 0;
}

static bool load_field(struct iv_load *load, struct iv_field_decl *out, const struct iv_yaml_pair *pair)
{
    struct iv_str names[IV_F_MAP + 1];
    for (int t = 0; t <= IV_F_MAP; t++) {
        names[t] = iv_str_of(iv_ftype_name((enum iv_ftype)t));
    }
    *out = (struct iv_field_decl){.name = pair->key->text};
    if (out->name.n > 0 && out->name.p[out->name.n - 1] == '!') {
        out->required = true;
        out->name.n--;
    }
    if (!iv_is_word(out->name)) {
        iv_yaml_error(load->problems, pair->key,
                      "a field's name is letters, digits and '_', with '!' behind it if required");
        return false;
    }
    struct iv_str type;
    if (!iv_yaml_string(&type, pair->value, load->problems)) {
        return false;
    }
    if (!iv_ftype_of(&out->type, type)) {
        iv_yaml_error(load->problems, pair->value, "unknown type '" IV_STR_FMT "'%s", IV_STR_ARG(type),
                      iv_yaml_nearest(type, names, IV_COUNT(names)).text);
        return false;
    }
    return true;
}

static void load_event_type(struct iv_load *load, const struct iv_yaml_pair *pair)
{
    static const char *const streams[] = {[IV_LEDGER] = "ledger", [IV_TELEMETRY] = "telemetry"};
    struct iv_yaml_map map;
    if (!iv_yaml_open(&map, pair->value, "event type", load->problems)) {
        return;
    }
    size_t stream;
    bool whole =
        iv_yaml_choice(&stream, iv_yaml_need(&map, "stream"), streams, IV_COUNT(streams), load->problems);
    struct iv_yaml_map list;
    (void)iv_yaml_open(&list, iv_yaml_get(&map, "fields"), "fields", load->problems);
    iv_yaml_close(&map);
    size_t count = list.node == NULL ? 0 : list.node->count;
    struct iv_field_decl *fields = iv_load_alloc(load, count, sizeof *fields);
    for (size_t i = 0; fields != NULL && i < count; i++) {
        whole = load_field(load, &fields[i], &list.node->pairs[i]) && whole;
    }
    struct iv_str name = pair->key->text;
    if (name.n == 0 || memchr(name.p, '*', name.n) != NULL || memchr(name.p, '?', name.n) != NULL) {
        iv_yaml_error(load->problems, pair->key, "an event type's name is not empty and has no '*' or '?'");
        whole = false;
    }
    if (!whole || fields == NULL) {
        return;
    }
    struct iv_err why = {0};
    struct iv_rc_s rc =
        iv_catalogue_declare(load->body->catalogue, name, (enum iv_stream)stream, fields, count, &why);
    if (rc.code == IV_E_NOMEM) {
        iv_load_fail(load, iv_err_set(load->err, rc.code, "%s", why.text));
    } else if (!iv_ok(rc)) {
        iv_yaml_error(load->problems, pair->key, "%s", why.text);
    }
}

void iv_load_events(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, node, "events", load->problems);
    for (size_t i = 0; map.node != NULL && i < map.node->count; i++) {
        load_event_type(load, &map.node->pairs[i]);
    }
    struct iv_rc_s rc = iv_catalogue_freeze(load->body->catalogue, load->err);
    if (!iv_ok(rc)) {
        iv_load_fail(load, rc);
    }
}

void iv_load_match(struct iv_load *load, struct iv_match *out, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    *out = (struct iv_match){0};
    (void)iv_yaml_open(&map, node, "match", load->problems);
    struct iv_str *const patterns[] = {&out->tenant, &out->agent, &out->profile};
    static const char *const keys[] = {"tenant", "agent", "profile"};
    for (size_t i = 0; i < IV_COUNT(keys); i++) {
        struct iv_str text;
        if (iv_yaml_string(&text, iv_yaml_get(&map, keys[i]), load->problems)) {
            *patterns[i] = iv_load_str(load, text);
        }
    }
    iv_yaml_close(&map);
}

static void load_waiver(struct iv_load *load, struct iv_waiver *out, const struct iv_yaml_node *node)
{
    struct iv_problems *problems = load->problems;
    struct iv_baseline *pub = &load->body->pub;
    struct iv_yaml_map map;
    *out = (struct iv_waiver){.until = IV_NS_MAX, .rule = IV_STR(""), .reason = IV_STR(""), .by = IV_STR("")};
    if (!iv_yaml_open(&map, node, "waiver", problems)) {
        return;
    }
    const struct iv_yaml_node *rule = iv_yaml_need(&map, "rule");
    if (iv_yaml_string(&out->rule, rule, problems) && !load->unread &&
        iv_baseline_rule(pub, out->rule) == NULL) {
        struct iv_str *ids = iv_load_alloc(load, pub->rule_count, sizeof *ids);
        for (size_t i = 0; ids != NULL && i < pub->rule_count; i++) {
            ids[i] = pub->rules[i]->id;
        }
        iv_yaml_error(problems, rule, "there is no rule '" IV_STR_FMT "'%s", IV_STR_ARG(out->rule),
                      iv_yaml_nearest(out->rule, ids, ids == NULL ? 0 : pub->rule_count).text);
    }
    iv_load_match(load, &out->match, iv_yaml_get(&map, "match"));
    const struct iv_yaml_node *reason = iv_yaml_get(&map, "reason");
    if (!iv_yaml_string(&out->reason, reason, problems) && reason == NULL) {
        iv_yaml_warning(problems, node, "the waiver gives no reason");
    }
    (void)iv_yaml_string(&out->by, iv_yaml_get(&map, "by"), problems);
    struct iv_instant until;
    if (iv_yaml_instant(&until, iv_yaml_get(&map, "until"), problems)) {
        out->until = iv_instant_to_ns_saturated(until);
    }
    iv_yaml_close(&map);
    out->rule = iv_load_str(load, out->rule);
    out->reason = iv_load_str(load, out->reason);
    out->by = iv_load_str(load, out->by);
}

void iv_load_waivers(struct iv_load *load, const struct iv_yaml_node *node)
{
    struct iv_yaml_items items;
    (void)iv_yaml_list(&items, node, load->problems);
    struct iv_waiver *waivers = iv_load_alloc(load, items.count, sizeof *waivers);
    for (size_t i = 0; waivers != NULL && i < items.count; i++) {
        load_waiver(load, &waivers[i], iv_yaml_item(&items, i));
    }
    load->body->pub.waivers = waivers;
    load->body->pub.waiver_count = waivers == NULL ? 0 : items.count;
}

void iv_load_authority(struct iv_load *load, const struct iv_yaml_node *node)
{
    if (node == NULL) {
        return;
    }
    struct iv_yaml_items items = iv_yaml_items(node, load->problems);
    if (items.count > IV_COUNT(load->authority)) {
        iv_yaml_error(load->problems, node, "at most %zu keys can be authorities", IV_COUNT(load->authority));
        return;
    }
    for (size_t i = 0; i < items.count; i++) {
        struct iv_str id;
        if (iv_yaml_string(&id, iv_yaml_item(&items, i), load->problems)) {
            load->authority[load->authority_count++] = id;
        }
    }
}
