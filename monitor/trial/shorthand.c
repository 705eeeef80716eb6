/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/shorthand.h"
#include "trial/test_keys.h"

#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/time.h"
#include "baseline/yaml_fields.h"
#include "event/chain.h"

#include <stdio.h>

#define BASE_TIME_S INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

/* Attributes by the names that a person may use, and as CloudEvents has them. */
static const struct {
    const char *key;
    const char *attribute;
} attributes[] = {
    {"id", "id"},
    {"source", "source"},
    {"subject", "subject"},
    {"agent", "subject"},
    {"tenant", "tenantid"},
    {"tenantid", "tenantid"},
    {"trace", "traceparent"},
    {"traceparent", "traceparent"},
    {"ledger_id", "ledgerid"},
    {"ledgerid", "ledgerid"},
    {"ledger_seq", "ledgerseq"},
    {"ledgerseq", "ledgerseq"},
    {"ledger_prev", "ledgerprev"},
    {"ledgerprev", "ledgerprev"},
    {"ledger_hash", "ledgerhash"},
    {"ledgerhash", "ledgerhash"},
    {"ledgeralg", "ledgeralg"},
};

struct writing {
    struct iv_shorthand *sh;
    const struct iv_yaml_node *node;
    struct iv_shorthand_log *log;     /* NULL: not of the ledger */
    const struct iv_event_type *type; /* NULL: not of the catalogue, which is fine on the ledger */
    struct iv_buf *out;
    struct iv_json json;
    bool wrong;
};

static const char *attribute_of(struct iv_str key)
{
    for (size_t i = 0; i < IV_COUNT(attributes); i++) {
        if (iv_str_eq(key, iv_str_of(attributes[i].key))) {
            return attributes[i].attribute;
        }
    }
    return NULL;
}

static const struct iv_yaml_node *given(const struct iv_yaml_node *node, const char *attribute)
{
    for (size_t i = 0; i < node->count; i++) {
        const char *name = attribute_of(node->pairs[i].key->text);
        if (name != NULL && strcmp(name, attribute) == 0) {
            return node->pairs[i].value;
        }
    }
    return NULL;
}

bool iv_shorthand_time(struct iv_instant *out, const struct iv_yaml_node *node)
{
    struct iv_instant d;
    if (node->kind != IV_YAML_SCALAR) {
        return false;
    }
    if (iv_duration_parse(&d, node->text, true)) {
        *out = (struct iv_instant){BASE_TIME_S + d.s, d.ns};
        return true;
    }
    return iv_instant_parse(out, node->text);
}

static void write_time(struct writing *w, const char *name, const struct iv_yaml_node *node)
{
    struct iv_instant t;
    struct iv_buf text;
    iv_buf_init(&text, 64);
    if (iv_shorthand_time(&t, node)) {
        iv_instant_format(&text, t);
        iv_json_str(&w->json, name, iv_buf_slice(&text));
    } else if (node->kind == IV_YAML_SCALAR) {
        iv_json_str(&w->json, name, node->text); /* for the decoder to refuse */
    } else {
        iv_yaml_error(w->sh->problems, node, "must be a time or a distance such as 2s, not %s",
                      iv_yaml_what(node));
        w->wrong = true;
    }
    iv_buf_deinit(&text);
}

static bool is_null(const struct iv_yaml_node *node)
{
    return node->kind == IV_YAML_SCALAR && node->style == IV_YAML_PLAIN &&
           (node->text.n == 0 || iv_str_eq(node->text, IV_STR("null")) || iv_str_eq(node->text, IV_STR("~")));
}

static void write_generic(struct writing *w, const char *name, const struct iv_yaml_node *node)
{
    struct iv_arena arena;
    struct iv_val v;
    struct iv_buf text;
    iv_arena_init(&arena, 0);
    iv_buf_init(&text, 1u << 20);
    if (iv_yaml_value(&v, &arena, node)) {
        iv_val_json(&text, &v);
    }
    w->wrong = w->wrong || iv_buf_failed(&text);
    iv_json_raw(&w->json, name, iv_buf_slice(&text));
    iv_arena_deinit(&arena);
    iv_buf_deinit(&text);
}

static void write_duration(struct writing *w, const char *name, const struct iv_yaml_node *node)
{
    struct iv_instant d;
    struct iv_buf text;
    iv_buf_init(&text, 64);
    if (iv_duration_parse(&d, node->text, true)) { /* days are a baseline's, not an event's */
        iv_duration_format(&text, d);
        iv_json_str(&w->json, name, iv_buf_slice(&text));
    } else {
        iv_json_str(&w->json, name, node->text);
    }
    iv_buf_deinit(&text);
}

static void write_receipt(struct writing *w, const char *name, const struct iv_yaml_node *node)
{
    const struct iv_yaml_node *time = iv_yaml_at(w->node, "time");
    struct iv_instant t = {BASE_TIME_S, 0};
    struct iv_buf text;
    iv_buf_init(&text, 1u << 20);
    if (time != NULL) {
        (void)iv_shorthand_time(&t, time);
    }
    w->wrong = !iv_ok(iv_test_receipt(&text, w->sh->keys, w->sh->decoder, node, t, w->sh->problems, NULL)) ||
               iv_buf_failed(&text) || w->wrong;
    iv_json_raw(&w->json, name, iv_buf_slice(&text));
    iv_buf_deinit(&text);
}

/* A checkpoint over the entries before the event at hand. */
static void write_note(struct writing *w, const char *name, const struct iv_yaml_node *node)
{
    struct iv_buf text;
    struct iv_err why = {0};
    uint64_t size = w->log == NULL || w->log->next < 1 ? 0 : (uint64_t)w->log->next - 1;
    struct iv_test_log log = {iv_str_of(w->log == NULL ? "log" : w->log->id), size,
                              w->log == NULL ? NULL : w->log->leaves};
    iv_buf_init(&text, 1u << 20);
    w->wrong = !iv_ok(iv_test_note(&text, w->sh->keys, w->sh->digester, &log, node, w->sh->problems, &why)) ||
               iv_buf_failed(&text) || w->wrong;
    iv_json_str(&w->json, name, iv_buf_slice(&text));
    iv_buf_deinit(&text);
}

static const struct iv_field *field_of(const struct iv_event_type *type, struct iv_str name)
{
    for (uint8_t i = 0; type != NULL && i < type->field_count; i++) {
        if (iv_str_eq(type->fields[i].name, name)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static void hint_at_field(struct writing *w, const struct iv_yaml_node *key)
{
    struct iv_str names[256];
    size_t n = 0;
    for (; n < w->type->field_count; n++) {
        names[n] = w->type->fields[n].name;
    }
    iv_yaml_warning(w->sh->problems, key, "'" IV_STR_FMT "' is no field of " IV_STR_FMT "%s",
                    IV_STR_ARG(key->text), IV_STR_ARG(w->type->name),
                    iv_yaml_nearest(key->text, names, n).text);
}

static void write_field(struct writing *w, const struct iv_yaml_pair *pair)
{
    char name[128];
    (void)snprintf(name, sizeof name, IV_STR_FMT, IV_STR_ARG(pair->key->text));
    const struct iv_field *field = field_of(w->type, pair->key->text);
    bool scalar = pair->value->kind == IV_YAML_SCALAR;
    if (field == NULL && w->type != NULL) {
        hint_at_field(w, pair->key);
    }
    if (is_null(pair->value)) {
        return;
    }
    if (field != NULL && field->type == IV_F_TIMESTAMP) {
        write_time(w, name, pair->value);
    } else if (strcmp(name, "note") == 0 && pair->value->kind == IV_YAML_MAP) {
        write_note(w, name, pair->value);
    } else if (strcmp(name, "receipt") == 0 && pair->value->kind == IV_YAML_MAP) {
        write_receipt(w, name, pair->value);
    } else if (field != NULL && field->type == IV_F_DURATION && scalar) {
        write_duration(w, name, pair->value);
    } else if (field != NULL && field->type == IV_F_STRING && scalar) {
        iv_json_str(&w->json, name, pair->value->text);
    } else {
        write_generic(w, name, pair->value);
    }
}

static bool is_envelope(struct iv_str key)
{
    return attribute_of(key) != NULL || iv_str_eq(key, IV_STR("type")) || iv_str_eq(key, IV_STR("time")) ||
           iv_str_eq(key, IV_STR("stream"));
}

static void write_attributes(struct writing *w)
{
    char id[32];
    (void)snprintf(id, sizeof id, "e%u", w->sh->count);
    if (given(w->node, "id") == NULL) {
        iv_json_text(&w->json, "id", id);
    }
    if (given(w->node, "source") == NULL) {
        iv_json_text(&w->json, "source", "test");
    }
    for (size_t i = 0; i < w->node->count; i++) {
        const struct iv_yaml_pair *pair = &w->node->pairs[i];
        const char *name = attribute_of(pair->key->text);
        if (name == NULL || is_null(pair->value)) {
            continue;
        }
        if (strcmp(name, "ledgerseq") == 0 || pair->value->kind != IV_YAML_SCALAR) {
            write_generic(w, name, pair->value);
        } else {
            iv_json_str(&w->json, name, pair->value->text);
        }
    }
}

static struct iv_shorthand_log *log_of(struct iv_shorthand *sh, struct iv_str id)
{
    for (size_t i = 0; i < sh->log_count; i++) {
        if (iv_str_eq(iv_str_of(sh->logs[i].id), id)) {
            return &sh->logs[i];
        }
    }
    if (sh->log_count == IV_SHORTHAND_LOGS) {
        return NULL;
    }
    struct iv_shorthand_log *log = &sh->logs[sh->log_count++];
    *log = (struct iv_shorthand_log){.next = 0};
    (void)snprintf(log->id, sizeof log->id, IV_STR_FMT, IV_STR_ARG(id));
    memset(log->hash, '0', sizeof log->hash - 1);
    return log;
}

/* The chain attributes that were not given, but for the hash, which is over all the rest. */
static struct iv_shorthand_log *write_chain(struct writing *w)
{
    const struct iv_yaml_node *id = given(w->node, "ledgerid");
    const struct iv_yaml_node *seq = given(w->node, "ledgerseq");
    struct iv_str name = id != NULL && id->kind == IV_YAML_SCALAR ? id->text : IV_STR("log");
    struct iv_shorthand_log *log = log_of(w->sh, name);
    if (log == NULL) {
        iv_yaml_error(w->sh->problems, w->node, "a test may have %d logs", IV_SHORTHAND_LOGS);
        w->wrong = true;
        return NULL;
    }
    struct iv_val v = {0};
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    if (seq != NULL && iv_yaml_value(&v, &arena, seq) && v.kind == IV_KIND_INT) {
        log->next = v.i;
    }
    iv_arena_deinit(&arena);
    if (id == NULL) {
        iv_json_str(&w->json, "ledgerid", name);
    }
    if (seq == NULL) {
        iv_json_int(&w->json, "ledgerseq", log->next);
    }
    if (given(w->node, "ledgerprev") == NULL) {
        iv_json_text(&w->json, "ledgerprev", log->hash);
    }
    log->next++;
    return log;
}

static void keep_leaf(struct iv_shorthand_log *log)
{
    size_t n = strlen(log->hash) / 2;
    if (log->next < 1 || log->next > IV_TEST_LEAVES) {
        return;
    }
    struct iv_digest *leaf = &log->leaves[log->next - 1];
    leaf->n = n <= sizeof leaf->bytes && iv_hex_decode(leaf->bytes, n, iv_str_of(log->hash)) ? n : 0;
}

/* Puts the hash into the finished object, and remembers it for the next event of its log. */
static iv_rc close_chain(struct writing *w, struct iv_shorthand_log *log, struct iv_err *err)
{
    const struct iv_yaml_node *hash = given(w->node, "ledgerhash");
    if (hash != NULL) {
        (void)snprintf(log->hash, sizeof log->hash, IV_STR_FMT, IV_STR_ARG(hash->text));
        keep_leaf(log);
        return IV_OK;
    }
    struct iv_buf canonical;
    struct iv_digest digest;
    iv_buf_init(&canonical, 1u << 20);
    struct iv_rc_s rc = iv_jcs(&canonical, w->sh->decoder, iv_buf_slice(w->out), "ledgerhash", err);
    iv_digest(w->sh->digester, &digest, IV_SHA384, iv_buf_slice(&canonical));
    iv_buf_clear(&canonical);
    iv_hex_encode(&canonical, (struct iv_str){(const char *)digest.bytes, digest.n});
    if (iv_ok(rc) && !iv_buf_failed(&canonical)) {
        memcpy(log->hash, canonical.p, sizeof log->hash);
        keep_leaf(log);
        w->out->n--; /* the closing brace */
        iv_buf_printf(w->out, ",\"ledgerhash\":\"%s\"}", log->hash);
    }
    iv_buf_deinit(&canonical);
    return rc;
}

/* The type decides the stream; one that the catalogue does not have is of the ledger if the event says so. */
static bool find_type(struct writing *w, enum iv_stream *stream)
{
    const struct iv_yaml_node *type = iv_yaml_at(w->node, "type");
    const struct iv_yaml_node *said = iv_yaml_at(w->node, "stream");
    if (type == NULL || type->kind != IV_YAML_SCALAR) {
        iv_yaml_error(w->sh->problems, w->node, "event lacks the key 'type'");
        return false;
    }
    w->type = iv_catalogue_find(w->sh->catalogue, type->text);
    if (w->type != NULL) {
        *stream = w->type->stream;
        return true;
    }
    *stream = IV_LEDGER;
    if (said != NULL && said->kind == IV_YAML_SCALAR && iv_str_eq(said->text, IV_STR("ledger"))) {
        return true;
    }
    struct iv_str names[256];
    size_t n = 0;
    for (; n < IV_COUNT(names) && n < iv_catalogue_types(w->sh->catalogue); n++) {
        names[n] = iv_catalogue_type(w->sh->catalogue, n)->name;
    }
    iv_yaml_error(w->sh->problems, type, "unknown event type '" IV_STR_FMT "'%s", IV_STR_ARG(type->text),
                  iv_yaml_nearest(type->text, names, n).text);
    return false;
}

static void write_data(struct writing *w)
{
    iv_json_open_object(&w->json, "data");
    for (size_t i = 0; i < w->node->count; i++) {
        if (!is_envelope(w->node->pairs[i].key->text)) {
            write_field(w, &w->node->pairs[i]);
        }
    }
    iv_json_close_object(&w->json);
}

iv_rc iv_shorthand_event(struct iv_shorthand *shorthand, struct iv_buf *out, enum iv_stream *stream,
                         const struct iv_yaml_node *node, struct iv_err *err)
{
    struct writing w = {.sh = shorthand, .node = node, .out = out};
    shorthand->count++;
    if (node->kind != IV_YAML_MAP) {
        iv_yaml_error(shorthand->problems, node, "event must be a mapping, not %s", iv_yaml_what(node));
        return iv_err_set(err, IV_E_REFUSED, "an event of a test is no mapping");
    }
    ENSURE(find_type(&w, stream), err, IV_E_REFUSED, "an event of a test has no known type");
    iv_buf_clear(out);
    w.json = iv_json_to(out);
    iv_json_open_object(&w.json, NULL);
    iv_json_text(&w.json, "specversion", "1.0");
    iv_json_str(&w.json, "type", iv_yaml_at(node, "type")->text);
    const struct iv_yaml_node *time = iv_yaml_at(node, "time");
    if (time != NULL) {
        write_time(&w, "time", time);
    } else {
        iv_yaml_error(shorthand->problems, node, "event lacks the key 'time'");
        w.wrong = true;
    }
    write_attributes(&w);
    w.log = *stream == IV_LEDGER ? write_chain(&w) : NULL;
    write_data(&w);
    iv_json_close_object(&w.json);
    ENSURE(!iv_buf_failed(out), err, IV_E_LIMIT, "an event of a test is too large");
    ENSURE(!w.wrong, err, IV_E_REFUSED, "an event of a test cannot be written");
    return w.log == NULL ? IV_OK : close_chain(&w, w.log, err);
}
