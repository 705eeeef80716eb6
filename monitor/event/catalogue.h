/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue of event types: what fields an event of a type has, and which stream carries it.
 * Purpose: one table for the decoder, the type checker and the simulator.
 * Owner/thread: built once (built-in types from catalogue.def, then those that a baseline declares), then
 * immutable and shared.
 * Source: contract "Events", catalogue. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/value.h"
#include "event/name_table.h"

#include <stdbool.h>
#include <stdint.h>

enum iv_stream { IV_LEDGER, IV_TELEMETRY };
#define IV_STREAMS 2
const char *iv_stream_name(enum iv_stream stream); /* "ledger", "telemetry" */

enum iv_ftype {
    IV_F_STRING,
    IV_F_INT,
    IV_F_DOUBLE,
    IV_F_BOOL,
    IV_F_TIMESTAMP,
    IV_F_DURATION,
    IV_F_LIST_STRING,
    IV_F_LIST_INT,
    IV_F_LIST_DOUBLE,
    IV_F_LIST_BOOL,
    IV_F_MAP,
};
const char *iv_ftype_name(enum iv_ftype type); /* "list<string>" */

/* The attributes by their names in rules. They are slots 0 and up of every event, and name ids 0 and up. */
enum iv_attr {
    IV_ATTR_ID,
    IV_ATTR_SOURCE,
    IV_ATTR_TYPE,
    IV_ATTR_TIME, /* a timestamp */
    IV_ATTR_AGENT,
    IV_ATTR_TENANT,
    IV_ATTR_TRACE,
    IV_ATTR_TOPIC, /* "ledger" or "telemetry" */
    IV_ATTR_LEDGER_ID,
    IV_ATTR_LEDGER_SEQ, /* an int */
    IV_ATTR_LEDGER_PREV,
    IV_ATTR_LEDGER_HASH,
    IV_ATTRS,
};
extern const struct iv_field_def {
    struct iv_str name;
    enum iv_ftype type;
} iv_attr_defs[IV_ATTRS];

struct iv_field {
    struct iv_str name;
    enum iv_ftype type;
    bool required;
    uint16_t name_id; /* one for each distinct field name of the catalogue */
    uint8_t slot;     /* in struct iv_event.slots */
};

struct iv_event_type {
    struct iv_str name;
    enum iv_stream stream;
    uint16_t index; /* in the catalogue; dense, for bitmaps and tables */
    uint8_t field_count;
    uint8_t slot_count; /* IV_ATTRS + field_count */
    const struct iv_field *fields;
    const uint8_t *slot_of;      /* by name id, for struct iv_object */
    struct iv_name_table lookup; /* a field's name to its index in fields */
};

struct iv_catalogue;

iv_rc iv_catalogue_new(struct iv_catalogue **out, struct iv_err *err);
void iv_catalogue_free(struct iv_catalogue *catalogue);
void iv_catalogue_freep(struct iv_catalogue **catalogue);

/* Declares one more type before iv_catalogue_freeze. IV_E_REFUSED: the name is taken, a field stands twice or
 * bears an attribute's name, more than 200 fields. */
struct iv_field_decl {
    struct iv_str name;
    enum iv_ftype type;
    bool required;
};
iv_rc iv_catalogue_declare(struct iv_catalogue *catalogue, struct iv_str name, enum iv_stream stream,
                           const struct iv_field_decl *fields, size_t count, struct iv_err *err);
/* Computes the slot tables; nothing can be declared after it. */
iv_rc iv_catalogue_freeze(struct iv_catalogue *catalogue, struct iv_err *err);

size_t iv_catalogue_types(const struct iv_catalogue *catalogue);
const struct iv_event_type *iv_catalogue_type(const struct iv_catalogue *catalogue, size_t index);
const struct iv_event_type *iv_catalogue_find(const struct iv_catalogue *catalogue, struct iv_str name);
/* The type that stands for every event of a type that the catalogue does not have: attributes, no fields. Its
 * index is iv_catalogue_types(); its name is "", an event's own type name is in its slot IV_ATTR_TYPE. */
const struct iv_event_type *iv_catalogue_unknown(const struct iv_catalogue *catalogue);
/* Distinct field names, attributes first; the width of every slot_of. */
size_t iv_catalogue_names(const struct iv_catalogue *catalogue);
struct iv_str iv_catalogue_name(const struct iv_catalogue *catalogue, uint16_t name_id);
/* "list<string>" and so on to the type; false for anything else. */
bool iv_ftype_of(enum iv_ftype *out, struct iv_str name);
