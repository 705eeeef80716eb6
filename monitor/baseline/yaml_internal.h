/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the YAML reader share: the document's body, and what a plain scalar is. */
#pragma once

#include "baseline/yaml.h"

struct iv_yaml {
    struct iv_arena arena;
    struct iv_str file;
    struct iv_str text;
    const struct iv_yaml_node *root;
    const size_t *line_starts; /* bytes; as libyaml counts lines */
    size_t line_count;
};

/* Finds where lines begin: behind CR LF, CR, LF, NEL, LS and PS. False when memory is out. */
bool iv_yaml_index_lines(struct iv_yaml *document);

/* The bytes of a line break at p, 0 if there is none. */
size_t iv_yaml_break(const char *p, size_t left);

/* A problem at a stretch of the source text. */
void iv_yaml_problem(struct iv_problems *problems, const struct iv_yaml *document, size_t start, size_t end,
                     bool warning, struct iv_str text);

/* The value of a plain scalar; text has a NUL behind it. */
struct iv_val iv_yaml_plain(struct iv_str text);
