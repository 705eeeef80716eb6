/* SPDX-License-Identifier: Apache-2.0 */
#include "event/catalogue.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/guard.h"

#define MAX_TYPES 4096
#define MAX_FIELDS 200 /* with the attributes below IV_NO_SLOT */
#define MAX_NAMES 32768
#define NAMES_AT_FIRST 128

struct iv_catalogue {
    struct iv_arena arena; /* owns the types, their fields and every name */
    struct iv_event_type *types[MAX_TYPES];
    size_t type_count;
    struct iv_event_type unknown;
    struct iv_str *names; /* by name id */
    size_t name_count;
    size_t name_capacity;
    struct iv_name_table lookup; /* a type's name to its index, once frozen */
    bool frozen;
};

const struct iv_field_def iv_attr_defs[IV_ATTRS] = {
    [IV_ATTR_ID] = {IV_STR_INIT("id"), IV_F_STRING},
    [IV_ATTR_SOURCE] = {IV_STR_INIT("source"), IV_F_STRING},
    [IV_ATTR_TYPE] = {IV_STR_INIT("type"), IV_F_STRING},
    [IV_ATTR_TIME] = {IV_STR_INIT("time"), IV_F_TIMESTAMP},
    [IV_ATTR_AGENT] = {IV_STR_INIT("agent"), IV_F_STRING},
    [IV_ATTR_TENANT] = {IV_STR_INIT("tenant"), IV_F_STRING},
    [IV_ATTR_TRACE] = {IV_STR_INIT("trace"), IV_F_STRING},
    [IV_ATTR_TOPIC] = {IV_STR_INIT("topic"), IV_F_STRING},
    [IV_ATTR_LEDGER_ID] = {IV_STR_INIT("ledger_id"), IV_F_STRING},
    [IV_ATTR_LEDGER_SEQ] = {IV_STR_INIT("ledger_seq"), IV_F_INT},
    [IV_ATTR_LEDGER_PREV] = {IV_STR_INIT("ledger_prev"), IV_F_STRING},
    [IV_ATTR_LEDGER_HASH] = {IV_STR_INIT("ledger_hash"), IV_F_STRING},
};

static const struct builtin {
    struct iv_str name;
    enum iv_stream stream;
    const struct iv_field_decl *fields;
    size_t count;
} builtins[] = {
#define F(name, type) {IV_STR_INIT(#name), IV_F_##type, false},
#define R(name, type) {IV_STR_INIT(#name), IV_F_##type, true},
#define TYPE(name, stream, list)                                                                             \
    {IV_STR_INIT(name), IV_##stream, (const struct iv_field_decl[]){list},                                   \
     sizeof((const struct iv_field_decl[]){list}) / sizeof(struct iv_field_decl)},
#include "event/catalogue.def"
#undef TYPE
#undef R
#undef F
};

static const char *const ftype_names[] = {
    [IV_F_STRING] = "string",
    [IV_F_INT] = "int",
    [IV_F_DOUBLE] = "double",
    [IV_F_BOOL] = "bool",
    [IV_F_TIMESTAMP] = "timestamp",
    [IV_F_DURATION] = "duration",
    [IV_F_LIST_STRING] = "list<string>",
    [IV_F_LIST_INT] = "list<int>",
    [IV_F_LIST_DOUBLE] = "list<double>",
    [IV_F_LIST_BOOL] = "list<bool>",
    [IV_F_MAP] = "map",
};

const char *iv_stream_name(enum iv_stream stream)
{
    return stream == IV_LEDGER ? "ledger" : "telemetry";
}

const char *iv_ftype_name(enum iv_ftype type)
{
    return ftype_names[type];
}

bool iv_ftype_of(enum iv_ftype *out, struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(ftype_names); i++) {
        if (iv_str_eq(iv_str_of(ftype_names[i]), name)) {
            *out = (enum iv_ftype)i;
            return true;
        }
    }
    return false;
}

/* The id of a name, -1 if it has none yet. */
static int name_find(const struct iv_catalogue *c, struct iv_str name)
{
    for (size_t i = 0; i < c->name_count; i++) {
        if (iv_str_eq(c->names[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

static iv_rc names_grow(struct iv_catalogue *c, struct iv_err *err)
{
    size_t capacity = c->name_capacity == 0 ? NAMES_AT_FIRST : 2 * c->name_capacity;
    struct iv_str *names = iv_realloc(c->names, capacity * sizeof *names);
    ENSURE(names != NULL, err, IV_E_NOMEM, "cannot allocate the catalogue's names");
    c->names = names;
    c->name_capacity = capacity;
    return IV_OK;
}

static iv_rc name_intern(uint16_t *out, struct iv_catalogue *c, struct iv_str name, struct iv_err *err)
{
    int known = name_find(c, name);
    if (known >= 0) {
        *out = (uint16_t)known;
        return IV_OK;
    }
    ENSURE(c->name_count < MAX_NAMES, err, IV_E_REFUSED, "the catalogue has more than %d field names",
           MAX_NAMES);
    if (c->name_count == c->name_capacity) {
        TRY(names_grow(c, err));
    }
    struct iv_str copy = iv_arena_str(&c->arena, name);
    ENSURE(copy.p != NULL, err, IV_E_NOMEM, "cannot allocate the catalogue's names");
    *out = (uint16_t)c->name_count;
    c->names[c->name_count++] = copy;
    return IV_OK;
}

static iv_rc check_fields(struct iv_str type, const struct iv_field_decl *fields, size_t count,
                          struct iv_err *err)
{
    ENSURE(count <= MAX_FIELDS, err, IV_E_REFUSED, "event type '" IV_STR_FMT "' has %zu fields, at most %d",
           IV_STR_ARG(type), count, MAX_FIELDS);
    for (size_t i = 0; i < count; i++) {
        struct iv_str name = fields[i].name;
        ENSURE(name.n > 0, err, IV_E_REFUSED, "event type '" IV_STR_FMT "' has a field without a name",
               IV_STR_ARG(type));
        for (size_t a = 0; a < IV_ATTRS; a++) {
            ENSURE(!iv_str_eq(name, iv_attr_defs[a].name), err, IV_E_REFUSED,
                   "event type '" IV_STR_FMT "': field '" IV_STR_FMT "' bears the name of an attribute",
                   IV_STR_ARG(type), IV_STR_ARG(name));
        }
        for (size_t k = 0; k < i; k++) {
            ENSURE(!iv_str_eq(name, fields[k].name), err, IV_E_REFUSED,
                   "event type '" IV_STR_FMT "': field '" IV_STR_FMT "' stands twice", IV_STR_ARG(type),
                   IV_STR_ARG(name));
        }
    }
    return IV_OK;
}

static iv_rc fill_fields(struct iv_catalogue *c, struct iv_event_type *type,
                         const struct iv_field_decl *decls, size_t count, struct iv_err *err)
{
    struct iv_field *fields = iv_arena_zalloc(&c->arena, (count + 1) * sizeof *fields);
    ENSURE(fields != NULL, err, IV_E_NOMEM, "cannot allocate the fields of an event type");
    TRY(iv_name_table_init(&type->lookup, &c->arena, count, err));
    for (size_t i = 0; i < count; i++) {
        TRY(name_intern(&fields[i].name_id, c, decls[i].name, err));
        fields[i].name = c->names[fields[i].name_id];
        fields[i].type = decls[i].type;
        fields[i].required = decls[i].required;
        fields[i].slot = (uint8_t)(IV_ATTRS + i);
        iv_name_table_add(&type->lookup, fields[i].name, (uint16_t)i);
    }
    type->fields = fields;
    type->field_count = (uint8_t)count;
    type->slot_count = (uint8_t)(IV_ATTRS + count);
    return IV_OK;
}

iv_rc iv_catalogue_declare(struct iv_catalogue *c, struct iv_str name, enum iv_stream stream,
                           const struct iv_field_decl *fields, size_t count, struct iv_err *err)
{
    ENSURE(!c->frozen, err, IV_E_STATE, "the catalogue is frozen");
    ENSURE(name.n > 0, err, IV_E_REFUSED, "an event type has no name");
    ENSURE(c->type_count < MAX_TYPES, err, IV_E_REFUSED, "the catalogue has more than %d event types",
           MAX_TYPES);
    ENSURE(iv_catalogue_find(c, name) == NULL, err, IV_E_REFUSED,
           "event type '" IV_STR_FMT "' is declared already", IV_STR_ARG(name));
    TRY(check_fields(name, fields, count, err));
    struct iv_event_type *type = iv_arena_zalloc(&c->arena, sizeof *type);
    ENSURE(type != NULL, err, IV_E_NOMEM, "cannot allocate an event type");
    type->name = iv_arena_str(&c->arena, name);
    ENSURE(type->name.p != NULL, err, IV_E_NOMEM, "cannot allocate an event type");
    type->stream = stream;
    type->index = (uint16_t)c->type_count;
    TRY(fill_fields(c, type, fields, count, err));
    c->types[c->type_count++] = type;
    return IV_OK;
}

static iv_rc declare_builtins(struct iv_catalogue *c, struct iv_err *err)
{
    for (size_t i = 0; i < IV_ATTRS; i++) {
        uint16_t id = 0;
        TRY(name_intern(&id, c, iv_attr_defs[i].name, err));
        IV_CHECK(id == i);
    }
    for (size_t i = 0; i < IV_COUNT(builtins); i++) {
        const struct builtin *b = &builtins[i];
        TRY(iv_catalogue_declare(c, b->name, b->stream, b->fields, b->count, err));
    }
    return IV_OK;
}

iv_rc iv_catalogue_new(struct iv_catalogue **out, struct iv_err *err)
{
    IV_AUTO(iv_catalogue_freep) struct iv_catalogue *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the catalogue");
    iv_arena_init(&c->arena, 0);
    TRY(declare_builtins(c, err));
    *out = TAKE(c);
    return IV_OK;
}

void iv_catalogue_free(struct iv_catalogue *c)
{
    if (c != NULL) {
        iv_arena_deinit(&c->arena);
        iv_free(c->names);
        iv_free(c);
    }
}

void iv_catalogue_freep(struct iv_catalogue **c)
{
    iv_catalogue_free(*c);
}

static iv_rc freeze_type(struct iv_catalogue *c, struct iv_event_type *type, struct iv_err *err)
{
    uint8_t *slot_of = iv_arena_alloc(&c->arena, c->name_count);
    ENSURE(slot_of != NULL, err, IV_E_NOMEM, "cannot allocate the catalogue's slot tables");
    memset(slot_of, IV_NO_SLOT, c->name_count);
    for (uint8_t i = 0; i < IV_ATTRS; i++) {
        slot_of[i] = i;
    }
    for (size_t i = 0; i < type->field_count; i++) {
        slot_of[type->fields[i].name_id] = type->fields[i].slot;
    }
    type->slot_of = slot_of;
    return IV_OK;
}

iv_rc iv_catalogue_freeze(struct iv_catalogue *c, struct iv_err *err)
{
    ENSURE(!c->frozen, err, IV_E_STATE, "the catalogue is frozen already");
    TRY(iv_name_table_init(&c->lookup, &c->arena, c->type_count, err));
    for (size_t i = 0; i < c->type_count; i++) {
        TRY(freeze_type(c, c->types[i], err));
        iv_name_table_add(&c->lookup, c->types[i]->name, (uint16_t)i);
    }
    c->unknown =
        (struct iv_event_type){.name = IV_STR(""), .index = (uint16_t)c->type_count, .slot_count = IV_ATTRS};
    TRY(iv_name_table_init(&c->unknown.lookup, &c->arena, 0, err));
    TRY(freeze_type(c, &c->unknown, err));
    c->frozen = true;
    return IV_OK;
}

size_t iv_catalogue_types(const struct iv_catalogue *c)
{
    return c->type_count;
}

const struct iv_event_type *iv_catalogue_type(const struct iv_catalogue *c, size_t index)
{
    return c->types[index];
}

const struct iv_event_type *iv_catalogue_find(const struct iv_catalogue *c, struct iv_str name)
{
    if (c->frozen) {
        int index = iv_name_table_find(&c->lookup, name);
        return index < 0 ? NULL : c->types[index];
    }
    for (size_t i = 0; i < c->type_count; i++) {
        if (iv_str_eq(c->types[i]->name, name)) {
            return c->types[i];
        }
    }
    return NULL;
}

const struct iv_event_type *iv_catalogue_unknown(const struct iv_catalogue *c)
{
    return &c->unknown;
}

size_t iv_catalogue_names(const struct iv_catalogue *c)
{
    return c->name_count;
}

struct iv_str iv_catalogue_name(const struct iv_catalogue *c, uint16_t name_id)
{
    return c->names[name_id];
}
