/* SPDX-License-Identifier: Apache-2.0 */
/* The tree between parser and compiler, and the one compilation that all passes share.
 * Owner/thread: a compilation belongs to one call of iv_cel_compile; its nodes and types live in its arena.
 * Guarantee: nesting and the number of nodes are bounded, so that passes may recurse over the tree.
 * Source: CEL language definition, "Syntax" and "Macros". */
#pragma once

#include "cel/cel.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_CEL_SOURCE_MAX ((size_t)64 * 1024)
#define IV_CEL_NODES_MAX 4096u
#define IV_CEL_NESTING_MAX 64u /* of brackets, calls, conditionals */
#define IV_CEL_DEPTH_MAX 512u  /* of the tree: a chain of one operator is as deep as it is long */
#define IV_CEL_ARGS_MAX 4096u

enum iv_cel_node_kind {
    IV_CEL_NODE_LITERAL,
    IV_CEL_NODE_IDENT,
    IV_CEL_NODE_SELECT, /* target.name, target.?name, has(target.name) */
    IV_CEL_NODE_CALL,   /* name(args), target.name(args); operators by their names in CEL: "_+_" */
    IV_CEL_NODE_LIST,
    IV_CEL_NODE_MAP,    /* args: key and value in turn */
    IV_CEL_NODE_STRUCT, /* name{…}: message types are not supported, the checker says so */
    IV_CEL_NODE_FOLD,   /* a macro over the items of target */
    IV_CEL_NODE_BIND,   /* name is target inside of args[0] */
};

/* What a fold makes of the items. args[0] is the body; with a filter args[1] is that. */
enum iv_cel_fold {
    IV_CEL_FOLD_ALL,
    IV_CEL_FOLD_EXISTS,
    IV_CEL_FOLD_EXISTS_ONE,
    IV_CEL_FOLD_FILTER,
    IV_CEL_FOLD_MAP,       /* also transformList */
    IV_CEL_FOLD_MAP_VALUE, /* transformMap: the key stays */
    IV_CEL_FOLD_MAP_ENTRY, /* transformMapEntry: the body is a map, merged into the result */
};

/* What a name turned out to mean. */
enum iv_cel_ref {
    IV_CEL_REF_NONE,  /* undeclared, where that is left to the run */
    IV_CEL_REF_LOCAL, /* a variable of the fold or bind that is owner */
    IV_CEL_REF_VAR,   /* a declared variable */
    IV_CEL_REF_TYPE,  /* a type's name: value holds it */
};

struct iv_cel_node {
    uint8_t kind;  /* enum iv_cel_node_kind */
    uint8_t fold;  /* enum iv_cel_fold */
    uint8_t ref;   /* enum iv_cel_ref */
    bool test;     /* SELECT: has() */
    bool optional; /* SELECT: .?name */
    bool quoted;   /* SELECT: .`name`: never part of a qualified name */
    bool absolute; /* IDENT, STRUCT: with a leading dot */
    bool two_vars; /* FOLD */
    bool second;   /* IDENT, LOCAL: the owner's second variable */
    bool parenthesised;
    bool constant;  /* reads no variable from outside of itself: its value can be had while compiling */
    uint16_t level; /* FOLD, BIND: how many of them it stands in, itself included */
    uint16_t depth;
    uint32_t offset; /* of the name or operator, for messages */
    uint32_t length;
    uint32_t count; /* of args */
    struct iv_str name;
    struct iv_str name2; /* FOLD: the second variable */
    struct iv_val value; /* LITERAL, and TYPE references */
    struct iv_cel_node *target;
    struct iv_cel_node **args;
    const bool *optionals; /* LIST, MAP: per element or pair, "?"; NULL: none */
    /* from here on written by the resolver, the checker and the compiler */
    struct iv_cel_node *owner;
    const struct iv_cel_var *var;
    const struct iv_cel_type *type;
    const struct iv_cel_type *var_types[2];    /* FOLD, BIND: of their variables */
    const struct iv_cel_overload **candidates; /* CALL: those that the checker left */
    uint32_t candidate_count;
    uint32_t base; /* FOLD, BIND: stack index of their first slot */
};

struct iv_cel_compilation {
    const struct iv_cel_env *env;
    struct iv_str source;
    struct iv_cel_diags *diags;
    struct iv_arena *arena;
    uint32_t nodes;
    uint32_t nesting;
    bool no_check;
    bool out_of_memory;
};

/* Adds a diagnosis; keeps the first 32. */
void iv_cel_report(struct iv_cel_compilation *c, uint32_t offset, uint32_t length, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* NULL, with a diagnosis or out_of_memory, where it fails. */
struct iv_cel_node *iv_cel_parse(struct iv_cel_compilation *c);

/* A node with room for count args; NULL when memory or the limit of nodes is out. */
struct iv_cel_node *iv_cel_node_new(struct iv_cel_compilation *c, enum iv_cel_node_kind kind, uint32_t offset,
                                    uint32_t length, uint32_t count);
/* Computes the depth from the children; NULL, with a diagnosis, where it is beyond the limit. */
struct iv_cel_node *iv_cel_node_close(struct iv_cel_compilation *c, struct iv_cel_node *node);

/* The macro that the call is, expanded; the call itself if it is none; NULL where it is one used wrongly. */
struct iv_cel_node *iv_cel_macro_expand(struct iv_cel_compilation *c, struct iv_cel_node *call);

/* Says what every name means. False: a diagnosis was made. */
bool iv_cel_resolve(struct iv_cel_compilation *c, struct iv_cel_node *root);
/* Gives every node its type, and every call its candidates. False: a diagnosis was made. */
bool iv_cel_check(struct iv_cel_compilation *c, struct iv_cel_node *root, const struct iv_cel_type *expect);

/* The pattern of a call of matches(), if it is known already; p NULL if not. */
struct iv_str iv_cel_literal_pattern(const struct iv_cel_node *call);
