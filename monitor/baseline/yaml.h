/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML document as a tree of nodes that know where they stood.
 * Purpose: baselines, rule packs, playbooks and the program's configuration are read through this one door.
 * Owner/thread: a document owns its text and its nodes and is immutable once parsed.
 * Guarantee: one document of UTF-8, at most IV_YAML_BYTES_MAX bytes and IV_YAML_DEPTH_MAX deep; with all
 * aliases written out at most IV_YAML_NODES_MAX nodes. No key stands twice, no tag changes a meaning.
 * Not here: what keys mean (yaml_fields.h).
 * Source: YAML 1.2; plain scalars follow its core schema, with durations and RFC 3339 times added. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/value.h"
#include "baseline/problems.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IV_YAML_BYTES_MAX (4u << 20)
#define IV_YAML_DEPTH_MAX 48u
#define IV_YAML_NODES_MAX 200000u

enum iv_yaml_kind { IV_YAML_SCALAR, IV_YAML_LIST, IV_YAML_MAP };
enum iv_yaml_style {
    IV_YAML_PLAIN,
    IV_YAML_SINGLE_QUOTED,
    IV_YAML_DOUBLE_QUOTED,
    IV_YAML_LITERAL,
    IV_YAML_FOLDED
};

struct iv_yaml;
struct iv_yaml_node;

struct iv_yaml_pair {
    const struct iv_yaml_node *key; /* a scalar */
    const struct iv_yaml_node *value;
};

struct iv_yaml_node {
    enum iv_yaml_kind kind;
    enum iv_yaml_style style; /* of a scalar */
    const struct iv_yaml *document;
    uint32_t line;   /* from 1, of its first character */
    uint32_t column; /* from 1, in characters */
    size_t start;    /* bytes into the source, of its first character */
    size_t end;      /* bytes into the source, behind its last */
    size_t count;    /* items of a list, pairs of a map */
    union {
        struct iv_str text; /* SCALAR: its value, escapes and folding undone */
        const struct iv_yaml_node *const *items;
        const struct iv_yaml_pair *pairs;
    };
};

/* What stands for ${NAME} in a scalar; false: there is no such variable, which is a problem of the document.
 * The value is copied. "$${" is a plain "${". */
struct iv_yaml_variables {
    bool (*value)(void *ctx, struct iv_str *out, struct iv_str name);
    void *ctx;
};

/* file names the text in problems. variables may be NULL: then "${" is nothing special. IV_OK also where
 * problems were found that leave a tree (a key twice); IV_E_REFUSED when there is no tree, with the reason
 * among the problems. */
iv_rc iv_yaml_parse(struct iv_yaml **out, struct iv_str file, struct iv_str text,
                    const struct iv_yaml_variables *variables, struct iv_problems *problems,
                    struct iv_err *err);
/* The same of a file; a file that cannot be read is a problem at 1:1 of itself. */
iv_rc iv_yaml_read(struct iv_yaml **out, struct iv_str path, const struct iv_yaml_variables *variables,
                   struct iv_problems *problems, struct iv_err *err);
void iv_yaml_free(struct iv_yaml *document);
void iv_yaml_freep(struct iv_yaml **document);

const struct iv_yaml_node *iv_yaml_root(const struct iv_yaml *document);
struct iv_str iv_yaml_file(const struct iv_yaml *document);
struct iv_str iv_yaml_text(const struct iv_yaml *document);
/* The text of a node as it was written, without the indentation of its first line. */
struct iv_str iv_yaml_source(const struct iv_yaml_node *node);

/* A map's value under a key; NULL where the node is NULL, no map, or has no such key. */
const struct iv_yaml_node *iv_yaml_at(const struct iv_yaml_node *map, const char *key);
struct iv_position iv_yaml_position(const struct iv_yaml_node *node);

/* The node as a value: maps with string keys, lists; a plain scalar is null, a bool, an int, a double (with a
 * point or an exponent), a duration or a time if it has that form, anything else a string. False when memory
 * is out. */
bool iv_yaml_value(struct iv_val *out, struct iv_arena *arena, const struct iv_yaml_node *node);

/* Problems at a node: at its first line, all of it underlined there. */
void iv_yaml_error(struct iv_problems *problems, const struct iv_yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void iv_yaml_warning(struct iv_problems *problems, const struct iv_yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* At a part of a scalar: length bytes from offset of its value, wherever in its lines they were written. */
void iv_yaml_error_inside(struct iv_problems *problems, const struct iv_yaml_node *scalar, size_t offset,
                          size_t length, const char *format, ...) __attribute__((format(printf, 5, 6)));
void iv_yaml_warning_inside(struct iv_problems *problems, const struct iv_yaml_node *scalar, size_t offset,
                            size_t length, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Where in the source text the byte at offset of a scalar's value was written. */
size_t iv_yaml_place(const struct iv_yaml_node *scalar, size_t offset);
