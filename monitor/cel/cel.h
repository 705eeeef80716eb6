/* SPDX-License-Identifier: Apache-2.0 */
/* The expression language: CEL (https://github.com/google/cel-spec), checked before it runs.
 * Purpose: compile source text against declared variables and functions; run the program over a frame of
 * values.
 * Owner/thread: an environment and the programs made with it are immutable once built, and shared by
 * threads; a struct iv_cel_frame belongs to one thread and is reused.
 * Guarantee: compiling reports every error with its place; running never reads outside of what it was given,
 * never recurses without bound, and stops at the frame's cost limit. Running allocates from the frame's
 * arena only.
 * Not here: what an event is, what a baseline is. Whoever knows declares them. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum iv_cel_tkind {
    IV_CEL_DYN,
    IV_CEL_NULL,
    IV_CEL_BOOL,
    IV_CEL_INT,
    IV_CEL_UINT,
    IV_CEL_DOUBLE,
    IV_CEL_STRING,
    IV_CEL_BYTES,
    IV_CEL_TIMESTAMP,
    IV_CEL_DURATION,
    IV_CEL_LIST,
    IV_CEL_MAP,
    IV_CEL_OBJECT,
    IV_CEL_TYPE,
    IV_CEL_OPTIONAL,
    IV_CEL_PARAM,  /* a type parameter of an overload: T, A, B */
    IV_CEL_OPAQUE, /* a named type of an extension */
    IV_CEL_ERROR,  /* of an expression that did not check: silences what follows from it */
};

struct iv_cel_schema;

struct iv_cel_type {
    enum iv_cel_tkind kind;
    const char *name; /* PARAM, OPAQUE: its name */
    /* LIST, OPTIONAL, TYPE: [0]; MAP: key and value; OPAQUE: its parameters */
    const struct iv_cel_type *args[3];
    const struct iv_cel_schema *schema; /* OBJECT */
};

/* The basic types, e.g. &iv_cel_int. */
extern const struct iv_cel_type iv_cel_dyn, iv_cel_null, iv_cel_bool, iv_cel_int, iv_cel_uint, iv_cel_double,
    iv_cel_string, iv_cel_bytes, iv_cel_timestamp, iv_cel_duration;

/* That of a scalar from bool to duration; dyn of anything else. */
const struct iv_cel_type *iv_cel_type_of_scalar(const struct iv_val *v);

struct iv_cel_field {
    struct iv_str name;
    const struct iv_cel_type *type;
    uint16_t name_id; /* index into struct iv_object.slot_of of the values this schema describes */
};

/* What fields an object has, for the checker. One schema may describe objects of several
 * event types at once. */
struct iv_cel_schema {
    struct iv_str name; /* for messages: "token.used" */
    const struct iv_cel_field *fields;
    size_t field_count;
};

#define IV_CEL_BANKS 4

/* A variable's value is frame->bank[bank][slot]. The name may be dotted ("baseline.token.skew"): CEL resolves
 * the longest declared prefix. */
struct iv_cel_var {
    struct iv_str name;
    const struct iv_cel_type *type;
    uint8_t bank;
    uint16_t slot;
};

struct iv_cel_frame;

/* A function of the host. Pure: the answer depends on the arguments only.
 * Fails by iv_err_set(IV_E_EVAL, …). */
typedef struct iv_rc_s (*iv_cel_fn)(struct iv_val *out, const struct iv_val *args, size_t count,
                                    struct iv_cel_frame *frame, void *ctx, struct iv_err *err);

struct iv_cel_overload {
    struct iv_str function; /* "receipt_valid" */
    bool member;            /* called as args[0].function(…) */
    const struct iv_cel_type *result;
    const struct iv_cel_type *args[4];
    uint8_t arg_count;
    uint16_t cost; /* added to the frame's cost at each call; 1 for cheap ones */
    iv_cel_fn call;
    void *ctx; /* handed to call; outlives the programs */
};

struct iv_cel_env;

/* With CEL's standard library, macros and the extensions strings, math, optionals, bindings, encoders,
 * network. */
iv_rc iv_cel_env_new(struct iv_cel_env **out, struct iv_err *err);
void iv_cel_env_free(struct iv_cel_env *env);
void iv_cel_env_freep(struct iv_cel_env **env);
/* A child that sees the parent's declarations too; the parent outlives it. Rules declare their own event
 * names. */
iv_rc iv_cel_env_extend(struct iv_cel_env **out, const struct iv_cel_env *parent, struct iv_err *err);
/* Copies the declaration; the type outlives the environment. A second declaration of a name in one
 * environment fails. */
iv_rc iv_cel_env_var(struct iv_cel_env *env, const struct iv_cel_var *var, struct iv_err *err);
iv_rc iv_cel_env_function(struct iv_cel_env *env, const struct iv_cel_overload *overload, struct iv_err *err);
/* The container (package) that names resolve in. */
iv_rc iv_cel_env_container(struct iv_cel_env *env, struct iv_str container, struct iv_err *err);

struct iv_cel_diag {
    size_t offset;  /* bytes into the source, of the first character concerned */
    size_t length;  /* bytes, at least 1 except at the end of the source */
    bool warning;   /* the expression compiles all the same */
    char text[256]; /* "undeclared field 'expires' of token.issued; did you mean 'expires_at'?" */
};

struct iv_cel_diags {
    struct iv_cel_diag *items; /* grown by iv_realloc */
    size_t count;
};
void iv_cel_diags_deinit(struct iv_cel_diags *diags);

struct iv_cel_options {
    const struct iv_cel_type *expect; /* the type that is asked for; NULL: any */
    bool no_check;                    /* skips the type check: everything is dyn */
};

struct iv_cel_prog;

/* IV_OK: *out is owned by the caller. IV_E_SYNTAX or IV_E_TYPE: diags holds at least one entry, all that were
 * found. Limits: source 64 KiB, nesting 64 deep (the spec asks for at least 12 to 32 by construct), 512
 * operations that hang on each other, 4,096 nodes. */
iv_rc iv_cel_compile(struct iv_cel_prog **out, const struct iv_cel_env *env, struct iv_str source,
                     const struct iv_cel_options *options, struct iv_cel_diags *diags, struct iv_err *err);
void iv_cel_prog_free(struct iv_cel_prog *prog);
void iv_cel_prog_freep(struct iv_cel_prog **prog);

const struct iv_cel_type *iv_cel_prog_type(const struct iv_cel_prog *prog);
struct iv_str iv_cel_prog_source(const struct iv_cel_prog *prog);
/* True when the program reads no variable: its value is known at load time. */
bool iv_cel_prog_constant(const struct iv_cel_prog *prog);
/* True when the program reads the variable at all. */
bool iv_cel_prog_uses(const struct iv_cel_prog *prog, uint8_t bank, uint16_t slot);
/* Calls visit for each field (by name id) that the program reads of the object variable in that place;
 * returns true when the whole object escapes (is passed to a function, compared, put in a list), so that all
 * of it may be read. */
bool iv_cel_prog_fields(const struct iv_cel_prog *prog, uint8_t bank, uint16_t slot,
                        void (*visit)(void *ctx, uint16_t name_id), void *ctx);
/* The program as text, an instruction a line: for invigil check --dump. */
struct iv_buf;
void iv_cel_prog_dump(struct iv_buf *out, const struct iv_cel_prog *prog);
/* A type as text: "list(string)". */
void iv_cel_type_format(struct iv_buf *out, const struct iv_cel_type *type);

/* Of one run. A step is an instruction, an element gone over, or as much work on a text or a pattern as takes
 * as long, so a run ends within a tenth of a second or so, whatever the expression and the values are. The
 * constants of an expression are worked out at its compilation in a tenth of that, all together; what is left
 * then is worked out in each run. */
#define IV_CEL_COST_DEFAULT 1000000u

struct iv_cel_frame {
    const struct iv_val *bank[IV_CEL_BANKS]; /* set by the caller for each run */
    struct iv_arena arena;                   /* what a run makes; reset by the caller */
    uint32_t cost_limit;                     /* instructions and elements touched; 0: IV_CEL_COST_DEFAULT */
    uint32_t cost;
    uint32_t error_offset; /* of the expression that failed, bytes into the source */
};

void iv_cel_frame_init(struct iv_cel_frame *frame, size_t max_arena_bytes);
void iv_cel_frame_deinit(struct iv_cel_frame *frame);

/* The value lives in the frame's arena, in the program, or in what the frame was given. IV_E_EVAL with a
 * sentence when the expression fails (absent field, division by zero, cost). */
iv_rc iv_cel_run(const struct iv_cel_prog *prog, struct iv_cel_frame *frame, struct iv_val *out,
                 struct iv_err *err);
/* The same for conditions, on the hot path: *holds is false where the run fails; *failed tells. */
void iv_cel_test(const struct iv_cel_prog *prog, struct iv_cel_frame *frame, bool *holds, bool *failed,
                 struct iv_err *err);
