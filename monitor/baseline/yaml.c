/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's events to a tree, without recursion: a stack of open collections, and a stack of their children
 * so far. */
#include "baseline/yaml.h"
#include "baseline/yaml_internal.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/guard.h"

#include <stdlib.h>
#include <yaml.h>

/* What a node costs when every alias in it is written out: the bound against documents that explode. */
struct cell {
    struct iv_yaml_node node; /* first, so that a node is its cell */
    uint32_t weight;
    uint32_t height;
};

struct anchor {
    struct anchor *next;
    struct iv_str name;
    const struct cell *cell;
};

struct open {
    struct cell *cell;
    size_t base; /* its first child in the stack of children */
    struct iv_str anchor;
    bool flow;
};

struct builder {
    struct iv_yaml *doc;
    yaml_parser_t parser;
    const struct iv_yaml_variables *variables;
    struct iv_problems *problems;
    struct open open[IV_YAML_DEPTH_MAX];
    size_t depth;
    const struct cell **children;
    size_t child_count;
    size_t child_capacity;
    struct anchor *anchors;
    size_t cursor_index; /* libyaml counts characters: the last one that was asked for, and its byte */
    size_t cursor_byte;
    bool refused;
};

static size_t byte_of(struct builder *b, size_t index)
{
    const char *p = b->doc->text.p;
    size_t n = b->doc->text.n;
    while (b->cursor_index < index && b->cursor_byte < n) {
        do {
            b->cursor_byte++;
        } while (b->cursor_byte < n && ((unsigned char)p[b->cursor_byte] & 0xc0) == 0x80);
        b->cursor_index++;
    }
    while (b->cursor_index > index && b->cursor_byte > 0) {
        do {
            b->cursor_byte--;
        } while (b->cursor_byte > 0 && ((unsigned char)p[b->cursor_byte] & 0xc0) == 0x80);
        b->cursor_index--;
    }
    return b->cursor_byte;
}

static struct iv_rc_s refuse(struct builder *b, size_t start, size_t end, const char *text)
{
    iv_yaml_problem(b->problems, b->doc, start, end, false, iv_str_of(text));
    b->refused = true;
    return IV_OK;
}

static struct iv_rc_s refuse_event(struct builder *b, const yaml_event_t *event, const char *text)
{
    size_t start = byte_of(b, event->start_mark.index);
    return refuse(b, start, byte_of(b, event->end_mark.index), text);
}

static struct iv_rc_s no_memory(const struct builder *b, struct iv_err *err)
{
    return iv_err_set(err, IV_E_NOMEM, "cannot hold '" IV_STR_FMT "' in memory", IV_STR_ARG(b->doc->file));
}

static struct iv_rc_s push_child(struct builder *b, const struct cell *child, size_t end, struct iv_err *err)
{
    if (b->child_count == b->child_capacity) {
        size_t capacity = b->child_capacity == 0 ? 64 : b->child_capacity * 2;
        const struct cell **grown = iv_realloc(b->children, capacity * sizeof *grown);
        if (grown == NULL) {
            return no_memory(b, err);
        }
        b->children = grown;
        b->child_capacity = capacity;
    }
    if (b->depth == 0) {
        b->doc->root = &child->node;
        return IV_OK;
    }
    struct cell *parent = b->open[b->depth - 1].cell;
    b->children[b->child_count++] = child;
    parent->node.end = end;
    parent->weight += child->weight;
    parent->height = parent->height > child->height + 1 ? parent->height : child->height + 1;
    if (parent->weight > IV_YAML_NODES_MAX) {
        return refuse(b, parent->node.start, parent->node.start + 1,
                      "too large with its aliases written out");
    }
    if (b->depth + child->height > IV_YAML_DEPTH_MAX) {
        return refuse(b, child->node.start, child->node.start + 1, "nested too deep");
    }
    return IV_OK;
}

static struct iv_rc_s name_anchor(struct builder *b, struct iv_str name, const struct cell *cell,
                                  struct iv_err *err)
{
    if (name.p == NULL) {
        return IV_OK;
    }
    struct anchor *a = iv_arena_alloc(&b->doc->arena, sizeof *a);
    if (a == NULL) {
        return no_memory(b, err);
    }
    *a = (struct anchor){b->anchors, name, cell}; /* a later anchor of the same name hides the earlier */
    b->anchors = a;
    return IV_OK;
}

static struct cell *new_cell(struct builder *b, const yaml_event_t *event, enum iv_yaml_kind kind)
{
    struct cell *cell = iv_arena_zalloc(&b->doc->arena, sizeof *cell);
    if (cell != NULL) {
        cell->weight = 1;
        cell->node.kind = kind;
        cell->node.document = b->doc;
        cell->node.line = (uint32_t)event->start_mark.line + 1;
        cell->node.column = (uint32_t)event->start_mark.column + 1;
        cell->node.start = byte_of(b, event->start_mark.index);
        cell->node.end = byte_of(b, event->end_mark.index);
    }
    return cell;
}

static bool copy_anchor(struct builder *b, struct iv_str *out, const yaml_char_t *name)
{
    *out = (struct iv_str){NULL, 0};
    if (name != NULL) {
        *out = iv_arena_str(&b->doc->arena, iv_str_of((const char *)name));
        return out->p != NULL;
    }
    return true;
}

/* libyaml begins a scalar at its anchor; places count from the scalar itself. */
static void skip_anchor(struct cell *cell, size_t anchor_bytes)
{
    struct iv_str text = cell->node.document->text;
    size_t at = cell->node.start + 1 + anchor_bytes;
    while (at < cell->node.end && (text.p[at] == ' ' || text.p[at] == '\t')) {
        at++;
    }
    for (size_t i = cell->node.start; i < at; i++) {
        cell->node.column += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    }
    cell->node.start = at;
}

/* Replaces ${NAME} by the variable's value, "$${" by "${". */
static struct iv_rc_s substitute(struct builder *b, struct cell *cell, struct iv_err *err)
{
    struct iv_str text = cell->node.text;
    IV_AUTO(iv_buf_deinit) struct iv_buf buf;
    iv_buf_init(&buf, IV_YAML_BYTES_MAX);
    for (size_t i = 0; i < text.n;) {
        bool escaped = text.n - i >= 3 && memcmp(text.p + i, "$${", 3) == 0;
        bool opens = !escaped && text.n - i >= 2 && memcmp(text.p + i, "${", 2) == 0;
        const char *close = opens ? memchr(text.p + i, '}', text.n - i) : NULL;
        if (close == NULL) {
            i += escaped;
            iv_buf_char(&buf, text.p[i++]);
            if (escaped) {
                iv_buf_char(&buf, text.p[i++]);
            }
            continue;
        }
        struct iv_str name = {text.p + i + 2, (size_t)(close - text.p) - i - 2};
        struct iv_str value;
        if (b->variables->value(b->variables->ctx, &value, name)) {
            iv_buf_str(&buf, value);
        } else {
            iv_yaml_error(b->problems, &cell->node, "there is no environment variable '" IV_STR_FMT "'",
                          IV_STR_ARG(name));
        }
        i = (size_t)(close - text.p) + 1;
    }
    cell->node.text = iv_arena_str(&b->doc->arena, iv_buf_slice(&buf));
    return iv_buf_failed(&buf) || cell->node.text.p == NULL ? no_memory(b, err) : IV_OK;
}

static struct iv_rc_s on_scalar(struct builder *b, const yaml_event_t *event, struct iv_err *err)
{
    static const enum iv_yaml_style styles[] = {
        [YAML_ANY_SCALAR_STYLE] = IV_YAML_PLAIN,
        [YAML_PLAIN_SCALAR_STYLE] = IV_YAML_PLAIN,
        [YAML_SINGLE_QUOTED_SCALAR_STYLE] = IV_YAML_SINGLE_QUOTED,
        [YAML_DOUBLE_QUOTED_SCALAR_STYLE] = IV_YAML_DOUBLE_QUOTED,
        [YAML_LITERAL_SCALAR_STYLE] = IV_YAML_LITERAL,
        [YAML_FOLDED_SCALAR_STYLE] = IV_YAML_FOLDED,
    };
    if (event->data.scalar.tag != NULL) {
        return refuse_event(b, event, "tags are not used here; a quoted scalar is a string");
    }
    struct cell *cell = new_cell(b, event, IV_YAML_SCALAR);
    struct iv_str anchor;
    if (cell == NULL || !copy_anchor(b, &anchor, event->data.scalar.anchor)) {
        return no_memory(b, err);
    }
    cell->node.style = styles[event->data.scalar.style];
    cell->node.text = iv_arena_str(
        &b->doc->arena, (struct iv_str){(const char *)event->data.scalar.value, event->data.scalar.length});
    if (cell->node.text.p == NULL) {
        return no_memory(b, err);
    }
    if (b->variables != NULL) {
        TRY(substitute(b, cell, err));
    }
    if (anchor.p != NULL) {
        skip_anchor(cell, anchor.n);
    }
    TRY(name_anchor(b, anchor, cell, err));
    return push_child(b, cell, cell->node.end, err);
}

static struct iv_rc_s on_alias(struct builder *b, const yaml_event_t *event, struct iv_err *err)
{
    struct iv_str name = iv_str_of((const char *)event->data.alias.anchor);
    for (const struct anchor *a = b->anchors; a != NULL; a = a->next) {
        if (iv_str_eq(a->name, name)) {
            return push_child(b, a->cell, byte_of(b, event->end_mark.index), err);
        }
    }
    return refuse_event(b, event, "an alias of an anchor that does not stand before it");
}

static struct iv_rc_s on_open(struct builder *b, const yaml_event_t *event, enum iv_yaml_kind kind,
                              struct iv_err *err)
{
    bool map = kind == IV_YAML_MAP;
    if ((map ? event->data.mapping_start.tag : event->data.sequence_start.tag) != NULL) {
        return refuse_event(b, event, "tags are not used here");
    }
    if (b->depth == IV_YAML_DEPTH_MAX) {
        return refuse_event(b, event, "nested too deep");
    }
    struct open *open = &b->open[b->depth];
    open->cell = new_cell(b, event, kind);
    open->base = b->child_count;
    open->flow = map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                     : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    if (open->cell == NULL ||
        !copy_anchor(b, &open->anchor,
                     map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor)) {
        return no_memory(b, err);
    }
    b->depth++;
    return IV_OK;
}

static int by_key(const void *left, const void *right)
{
    const struct iv_yaml_node *a = (*(const struct iv_yaml_pair *const *)left)->key;
    const struct iv_yaml_node *b = (*(const struct iv_yaml_pair *const *)right)->key;
    int order = iv_str_cmp(a->text, b->text);
    return order != 0 ? order : a->start < b->start ? -1 : a->start > b->start;
}

static struct iv_rc_s check_keys(struct builder *b, const struct iv_yaml_node *map, struct iv_err *err)
{
    IV_AUTO(iv_freep) const struct iv_yaml_pair **sorted = iv_calloc(map->count + 1, sizeof *sorted);
    if (sorted == NULL) {
        return no_memory(b, err);
    }
    for (size_t i = 0; i < map->count; i++) {
        sorted[i] = &map->pairs[i];
        if (map->pairs[i].key->kind != IV_YAML_SCALAR) {
            size_t start = map->pairs[i].key->start;
            return refuse(b, start, start + 1, "a key must be a scalar");
        }
    }
    qsort(sorted, map->count, sizeof *sorted, by_key);
    for (size_t i = 1; i < map->count; i++) {
        const struct iv_yaml_node *key = sorted[i]->key;
        if (iv_str_eq(key->text, sorted[i - 1]->key->text)) {
            iv_yaml_error(b->problems, key, "key '" IV_STR_FMT "' stands twice, first on line %u",
                          IV_STR_ARG(key->text), sorted[i - 1]->key->line);
        }
    }
    return IV_OK;
}

static struct iv_rc_s on_close(struct builder *b, const yaml_event_t *event, struct iv_err *err)
{
    struct open *open = &b->open[--b->depth];
    struct iv_yaml_node *node = &open->cell->node;
    size_t n = b->child_count - open->base;
    const struct iv_yaml_node **items = iv_arena_alloc(&b->doc->arena, (n + 1) * sizeof *items);
    if (items == NULL) {
        return no_memory(b, err);
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = &b->children[open->base + i]->node;
    }
    b->child_count = open->base;
    if (open->flow || n == 0) {
        node->end = byte_of(
            b, event->end_mark.index); /* a block ends where its last child does, not at the next token */
    }
    if (node->kind == IV_YAML_LIST) {
        node->count = n;
        node->items = items;
    } else {
        struct iv_yaml_pair *pairs = iv_arena_alloc(&b->doc->arena, (n / 2 + 1) * sizeof *pairs);
        if (pairs == NULL) {
            return no_memory(b, err);
        }
        for (size_t i = 0; i < n / 2; i++) {
            pairs[i] = (struct iv_yaml_pair){items[2 * i], items[2 * i + 1]};
        }
        node->count = n / 2;
        node->pairs = pairs;
        TRY(check_keys(b, node, err));
    }
    TRY(name_anchor(b, open->anchor, open->cell, err));
    return b->refused ? IV_OK : push_child(b, open->cell, node->end, err);
}

static struct iv_rc_s on_event(struct builder *b, const yaml_event_t *event, struct iv_err *err)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(b, event, err);
    case YAML_ALIAS_EVENT:
        return on_alias(b, event, err);
    case YAML_SEQUENCE_START_EVENT:
        return on_open(b, event, IV_YAML_LIST, err);
    case YAML_MAPPING_START_EVENT:
        return on_open(b, event, IV_YAML_MAP, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_close(b, event, err);
    case YAML_DOCUMENT_START_EVENT:
        return b->doc->root == NULL ? IV_OK : refuse_event(b, event, "a second document; one file holds one");
    default:
        return IV_OK;
    }
}

/* libyaml stops at its first error, so that is the only one of its kind. */
static struct iv_rc_s on_syntax(struct builder *b, struct iv_err *err)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return no_memory(b, err);
    }
    bool reader = p->error == YAML_READER_ERROR;
    size_t at = reader ? p->problem_offset : byte_of(b, p->problem_mark.index);
    bool tab = at < b->doc->text.n && b->doc->text.p[at] == '\t';
    struct iv_str text = iv_arena_printf(
        &b->doc->arena, "%s%s%s%s", p->problem == NULL ? "malformed YAML" : p->problem,
        p->context == NULL || reader ? "" : " ", p->context == NULL || reader ? "" : p->context,
        tab ? "; YAML is indented by spaces, not by tabs" : "");
    return text.p == NULL ? no_memory(b, err) : refuse(b, at, at + 1, text.p);
}

static struct iv_rc_s build(struct builder *b, struct iv_err *err)
{
    for (bool end = false; !end && !b->refused;) {
        yaml_event_t event;
        if (yaml_parser_parse(&b->parser, &event) == 0) {
            return on_syntax(b, err);
        }
        end = event.type == YAML_STREAM_END_EVENT;
        struct iv_rc_s rc = on_event(b, &event, err);
        yaml_event_delete(&event);
        TRY(rc);
    }
    if (b->doc->root == NULL && !b->refused) {
        return refuse(b, 0, 0, "the document is empty");
    }
    return IV_OK;
}

static struct iv_rc_s run(struct iv_yaml *doc, const struct iv_yaml_variables *variables,
                          struct iv_problems *problems, struct iv_err *err)
{
    struct builder b = {.doc = doc, .variables = variables, .problems = problems};
    struct iv_rc_s rc = IV_OK;
    if (doc->text.n > IV_YAML_BYTES_MAX) {
        rc = refuse(&b, 0, 1, "larger than 4 MiB");
    } else if (!iv_utf8_valid(doc->text)) {
        rc = refuse(&b, 0, 0, "not UTF-8");
    } else if (yaml_parser_initialize(&b.parser) == 0) {
        return no_memory(&b, err);
    } else {
        yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&b.parser, (const unsigned char *)doc->text.p, doc->text.n);
        rc = build(&b, err);
        yaml_parser_delete(&b.parser);
    }
    iv_free(b.children);
    TRY(rc);
    ENSURE(!b.refused, err, IV_E_REFUSED, "'" IV_STR_FMT "' is not YAML that can be read",
           IV_STR_ARG(doc->file));
    return IV_OK;
}

static struct iv_str without_bom(struct iv_str text)
{
    bool bom = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0;
    return bom ? (struct iv_str){text.p + 3, text.n - 3} : text;
}

struct iv_rc_s iv_yaml_parse(struct iv_yaml **out, struct iv_str file, struct iv_str text,
                             const struct iv_yaml_variables *variables, struct iv_problems *problems,
                             struct iv_err *err)
{
    IV_AUTO(iv_yaml_freep) struct iv_yaml *doc = iv_calloc(1, sizeof *doc);
    ENSURE(doc != NULL, err, IV_E_NOMEM, "cannot allocate a YAML document");
    iv_arena_init(&doc->arena, 0);
    doc->file = iv_arena_str(&doc->arena, file);
    doc->text = iv_arena_str(&doc->arena, without_bom(text));
    ENSURE(doc->file.p != NULL && doc->text.p != NULL && iv_yaml_index_lines(doc), err, IV_E_NOMEM,
           "cannot hold '" IV_STR_FMT "' in memory", IV_STR_ARG(file));
    iv_problems_see(problems, doc->file);
    TRY(run(doc, variables, problems, err));
    *out = TAKE(doc);
    return IV_OK;
}

struct iv_rc_s iv_yaml_read(struct iv_yaml **out, struct iv_str path,
                            const struct iv_yaml_variables *variables, struct iv_problems *problems,
                            struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf buf;
    iv_buf_init(&buf, IV_YAML_BYTES_MAX);
    struct iv_err why = {0};
    struct iv_rc_s rc = iv_file_read(&buf, path, &why);
    if (rc.code == IV_E_NOMEM) {
        return iv_err_set(err, rc.code, "%s", why.text);
    }
    if (!iv_ok(rc)) {
        iv_problems_add(problems,
                        &(struct iv_problem){{path, 1, 1}, false, iv_str_of(why.text), {NULL, 0}, 1});
        return iv_err_set(err, IV_E_REFUSED, "%s", why.text);
    }
    return iv_yaml_parse(out, path, iv_buf_slice(&buf), variables, problems, err);
}

void iv_yaml_free(struct iv_yaml *document)
{
    if (document != NULL) {
        iv_arena_deinit(&document->arena);
        iv_free(document);
    }
}

void iv_yaml_freep(struct iv_yaml **document)
{
    iv_yaml_free(*document);
    *document = NULL;
}

const struct iv_yaml_node *iv_yaml_root(const struct iv_yaml *document)
{
    return document->root;
}

struct iv_str iv_yaml_file(const struct iv_yaml *document)
{
    return document->file;
}

struct iv_str iv_yaml_text(const struct iv_yaml *document)
{
    return document->text;
}

const struct iv_yaml_node *iv_yaml_at(const struct iv_yaml_node *map, const char *key)
{
    for (size_t i = 0; map != NULL && map->kind == IV_YAML_MAP && i < map->count; i++) {
        if (iv_str_eq(map->pairs[i].key->text, iv_str_of(key))) {
            return map->pairs[i].value;
        }
    }
    return NULL;
}
