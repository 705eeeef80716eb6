/* SPDX-License-Identifier: Apache-2.0 */
#include "app/eval_scope.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/guard.h"
#include "baseline/field_type.h"
#include "baseline/functions.h"
#include "cel/net.h"
#include "event/catalogue.h"
#include "event/chain.h"
#include "event/decode.h"

struct iv_eval_scope {
    struct iv_arena arena; /* owns names, schemas, records and values */
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_digester *digester;
    struct iv_keyring *keyring; /* empty: there is no baseline here */
    struct iv_cel_env *env;
    struct iv_val *bank;
    uint16_t count;
};

void iv_eval_scope_free(struct iv_eval_scope *scope)
{
    if (scope == NULL) {
        return;
    }
    iv_cel_env_free(scope->env);
    iv_keyring_free(scope->keyring);
    iv_digester_free(scope->digester);
    iv_decoder_free(scope->decoder);
    iv_catalogue_free(scope->catalogue);
    iv_arena_deinit(&scope->arena);
    iv_free(scope);
}

void iv_eval_scope_freep(struct iv_eval_scope **scope)
{
    iv_eval_scope_free(*scope);
    *scope = NULL;
}

const struct iv_cel_env *iv_eval_scope_env(const struct iv_eval_scope *scope)
{
    return scope->env;
}

const struct iv_val *iv_eval_scope_bank(const struct iv_eval_scope *scope)
{
    return scope->bank;
}

static bool is_name(struct iv_str s)
{
    bool start = true;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (start || (c != '.' && !(c >= '0' && c <= '9')))) {
            return false;
        }
        start = c == '.';
    }
    return s.n > 0 && !start;
}

static iv_rc split_word(struct iv_str *name, const char **rest, const char *flag, const char *word,
                        struct iv_err *err)
{
    const char *equals = strchr(word, '=');
    *name = (struct iv_str){word, equals == NULL ? 0 : (size_t)(equals - word)};
    ENSURE(is_name(*name), err, IV_E_REFUSED,
           "--%s must be NAME=%s with a name as expressions have it, got '%s'", flag,
           strcmp(flag, "bind") == 0 ? "JSON" : "FILE", word);
    *rest = equals + 1;
    return IV_OK;
}

static iv_rc declare(struct iv_eval_scope *scope, struct iv_str name, const struct iv_cel_type *type,
                     struct iv_val v, struct iv_err *err)
{
    struct iv_cel_var var = {.name = name, .type = type, .bank = 0, .slot = scope->count};
    TRY(iv_cel_env_var(scope->env, &var, err));
    scope->bank[scope->count++] = v;
    return IV_OK;
}

static iv_rc bind(struct iv_eval_scope *scope, const char *word, struct iv_err *err)
{
    static const struct iv_json_options options = {.lenient_members = false};
    struct iv_str name;
    const char *json = NULL;
    struct iv_val v;
    TRY(split_word(&name, &json, "bind", word, err));
    struct iv_rc_s rc = iv_json_parse(scope->decoder, iv_str_of(json), &options, &scope->arena, &v, err);
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "--bind " IV_STR_FMT, IV_STR_ARG(name));
        return rc.code == IV_E_NOMEM ? rc : (struct iv_rc_s){IV_E_REFUSED};
    }
    return declare(scope, name, &iv_cel_dyn, v, err);
}

static iv_rc allocate(void *out_pointer, struct iv_eval_scope *scope, size_t bytes, struct iv_err *err)
{
    void *p = iv_arena_zalloc(&scope->arena, bytes);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate the variables of an expression");
    memcpy(out_pointer, &p, sizeof p);
    return IV_OK;
}

static iv_rc schema_of(const struct iv_cel_type **out, struct iv_eval_scope *scope,
                       const struct iv_event_type *type, struct iv_err *err)
{
    struct iv_cel_field *fields = NULL;
    struct iv_cel_schema *schema = NULL;
    struct iv_cel_type *object = NULL;
    TRY(allocate(&fields, scope, type->slot_count * sizeof *fields, err));
    TRY(allocate(&schema, scope, sizeof *schema, err));
    TRY(allocate(&object, scope, sizeof *object, err));
    size_t n = 0;
    for (uint16_t i = 0; i < IV_ATTRS; i++) {
        fields[n++] = (struct iv_cel_field){iv_attr_defs[i].name, iv_field_type(iv_attr_defs[i].type), i};
    }
    for (size_t i = 0; i < type->field_count; i++) {
        const struct iv_field *f = &type->fields[i];
        fields[n++] = (struct iv_cel_field){f->name, iv_field_type(f->type), f->name_id};
    }
    *schema = (struct iv_cel_schema){type->name, fields, n};
    *object = (struct iv_cel_type){.kind = IV_CEL_OBJECT, .schema = schema};
    *out = object;
    return IV_OK;
}

/* The file's bytes, with what the decoder may read behind them. */
static iv_rc load_record(struct iv_record *out, struct iv_eval_scope *scope, const char *path,
                         struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    char *copy = NULL;
    iv_buf_init(&bytes, IV_DECODE_LIMITS_DEFAULT.record_bytes);
    TRY(iv_file_read(&bytes, iv_str_of(path), err));
    TRY(allocate(&copy, scope, bytes.n + IV_RECORD_PADDING, err));
    memcpy(copy, iv_buf_slice(&bytes).p, bytes.n);
    *out = (struct iv_record){.bytes = {copy, bytes.n}};
    return IV_OK;
}

/* Sets the stream that carries the event's type: a file does not say where its event came from. */
static iv_rc find_stream(struct iv_record *record, struct iv_eval_scope *scope, struct iv_err *err)
{
    static const struct iv_json_options options = {.lenient_members = true};
    struct iv_val v;
    struct iv_val key = iv_val_str(IV_STR("type"));
    TRY(iv_json_parse(scope->decoder, record->bytes, &options, &scope->arena, &v, err));
    const struct iv_val *name = v.kind == IV_KIND_MAP ? iv_val_map_get(&v, &key) : NULL;
    bool named = name != NULL && name->kind == IV_KIND_STRING;
    ENSURE(named, err, IV_E_MALFORMED, "type: must be the name of an event type");
    const struct iv_event_type *type = iv_catalogue_find(scope->catalogue, iv_val_slice(*name));
    ENSURE(type != NULL, err, IV_E_MALFORMED, "type: the catalogue has no '" IV_STR_FMT "'",
           IV_STR_ARG(iv_val_slice(*name)));
    record->origin.stream = type->stream;
    record->origin.topic = iv_str_of(iv_stream_name(type->stream));
    return IV_OK;
}

static iv_rc read_event(struct iv_event *out, struct iv_eval_scope *scope, const char *path,
                        struct iv_err *err)
{
    struct iv_record *record = NULL;
    TRY(allocate(&record, scope, sizeof *record, err));
    TRY(load_record(record, scope, path, err));
    struct iv_rc_s rc = find_stream(record, scope, err);
    if (iv_ok(rc)) {
        rc = iv_decode(scope->decoder, record, &scope->arena, out, err);
    }
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "'%s' holds no event", path);
        return rc;
    }
    if (record->origin.stream == IV_LEDGER) {
        (void)iv_chain_valid(out, scope->digester); /* kept in the event, where hash_valid looks */
    }
    return IV_OK;
}

static iv_rc add_event(struct iv_eval_scope *scope, const char *word, struct iv_err *err)
{
    struct iv_str name;
    const char *path = NULL;
    struct iv_event *event = NULL;
    const struct iv_cel_type *type = NULL;
    TRY(split_word(&name, &path, "event", word, err));
    TRY(allocate(&event, scope, sizeof *event, err));
    TRY(read_event(event, scope, path, err));
    TRY(schema_of(&type, scope, event->type, err));
    return declare(scope, name, type, (struct iv_val){.kind = IV_KIND_OBJECT, .object = &event->object}, err);
}

static iv_rc open_rooms(struct iv_eval_scope *scope, struct iv_err *err)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    TRY(iv_catalogue_new(&scope->catalogue, err));
    TRY(iv_catalogue_freeze(scope->catalogue, err));
    TRY(iv_decoder_new(&scope->decoder, scope->catalogue, &limits, iv_hash_key_random(), err));
    TRY(iv_digester_new(&scope->digester, err));
    TRY(iv_keyring_new(&scope->keyring, err));
    TRY(iv_cel_env_new(&scope->env, err));
    return iv_load_functions(scope->env, scope->keyring, err);
}

iv_rc iv_eval_scope_new(struct iv_eval_scope **out, const struct iv_words *binds,
                        const struct iv_words *events, struct iv_err *err)
{
    IV_AUTO(iv_eval_scope_freep) struct iv_eval_scope *scope = iv_calloc(1, sizeof *scope);
    ENSURE(scope != NULL, err, IV_E_NOMEM, "cannot allocate the variables of an expression");
    iv_arena_init(&scope->arena, 0);
    TRY(open_rooms(scope, err));
    ENSURE(binds->count + events->count < UINT16_MAX, err, IV_E_REFUSED, "more than 65,534 variables");
    TRY(allocate(&scope->bank, scope, (binds->count + events->count) * sizeof *scope->bank, err));
    for (size_t i = 0; i < binds->count; i++) {
        TRY(bind(scope, binds->items[i], err));
    }
    for (size_t i = 0; i < events->count; i++) {
        TRY(add_event(scope, events->items[i], err));
    }
    *out = TAKE(scope);
    return IV_OK;
}

static iv_rc plain_items(struct iv_val *v, const struct iv_eval_scope *scope, size_t n,
                         struct iv_arena *arena, struct iv_err *err)
{
    struct iv_val *items = iv_arena_alloc(arena, n * sizeof *items);
    ENSURE(items != NULL, err, IV_E_EVAL, "the value is too large to print");
    for (size_t i = 0; i < n; i++) {
        TRY(iv_eval_scope_plain(&items[i], scope, &v->items[i], arena, err));
    }
    v->items = items;
    return IV_OK;
}

static iv_rc plain_event(struct iv_val *out, const struct iv_eval_scope *scope,
                         const struct iv_object *object, struct iv_arena *arena, struct iv_err *err)
{
    size_t names = iv_catalogue_names(scope->catalogue);
    struct iv_val *pairs = iv_arena_alloc(arena, 2 * names * sizeof *pairs);
    ENSURE(pairs != NULL, err, IV_E_EVAL, "the value is too large to print");
    struct iv_val map = {.kind = IV_KIND_MAP, .items = pairs};
    for (size_t i = 0; i < names; i++) {
        uint8_t slot = object->slot_of[i];
        if (slot != IV_NO_SLOT && object->slots[slot].kind != IV_KIND_ABSENT) {
            pairs[2 * map.n] = iv_val_str(iv_catalogue_name(scope->catalogue, (uint16_t)i));
            pairs[2 * map.n + 1] = object->slots[slot];
            map.n++;
        }
    }
    *out = map;
    return IV_OK;
}

static iv_rc plain_net(struct iv_val *v, struct iv_arena *arena, struct iv_err *err)
{
    char piece[64];
    struct iv_buf buf = {.p = piece, .capacity = sizeof piece, .max = sizeof piece - 1}; /* never grows */
    iv_net_format(&buf, v->opaque, v->aux == IV_NET_CIDR);
    struct iv_str text = iv_arena_str(arena, iv_buf_slice(&buf));
    ENSURE(text.p != NULL, err, IV_E_EVAL, "the value is too large to print");
    *v = iv_val_str(text);
    return IV_OK;
}

iv_rc iv_eval_scope_plain(struct iv_val *out, const struct iv_eval_scope *scope, const struct iv_val *v,
                          struct iv_arena *arena, struct iv_err *err)
{
    *out = *v;
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
        return plain_items(out, scope, v->n, arena, err);
    case IV_KIND_MAP:
        return plain_items(out, scope, 2 * (size_t)v->n, arena, err);
    case IV_KIND_OBJECT:
        return plain_event(out, scope, v->object, arena, err);
    case IV_KIND_OPAQUE:
        return v->n == sizeof(struct iv_net) ? plain_net(out, arena, err) : IV_OK;
    default:
        return IV_OK;
    }
}
