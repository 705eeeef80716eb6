/* SPDX-License-Identifier: Apache-2.0 */
#include "event/tape.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "event/atoms.h"
#include "event/scan.h"

#define NODES_AT_FIRST 1024

iv_rc iv_tape_init(struct iv_tape *tape, unsigned max_depth, unsigned max_members, struct iv_err *err)
{
    *tape = (struct iv_tape){.max_depth = max_depth, .max_members = max_members};
    tape->scan = iv_scanner_new();
    tape->open = iv_calloc((size_t)max_depth + 1, sizeof *tape->open);
    if (tape->scan == NULL || tape->open == NULL) {
        iv_tape_deinit(tape);
        return iv_err_set(err, IV_E_NOMEM, "cannot allocate a decoder");
    }
    return IV_OK;
}

void iv_tape_deinit(struct iv_tape *tape)
{
    iv_scanner_free(tape->scan);
    iv_free(tape->open);
    iv_free(tape->nodes);
    *tape = (struct iv_tape){0};
}

iv_rc iv_tape_reserve(struct iv_tape *tape, size_t count, struct iv_err *err)
{
    size_t need = tape->count + count;
    if (need <= tape->capacity) {
        return IV_OK;
    }
    size_t capacity = tape->capacity == 0 ? NODES_AT_FIRST : tape->capacity;
    while (capacity < need) {
        capacity *= 2;
    }
    struct iv_node *nodes =
        capacity <= UINT32_MAX / 2 ? iv_realloc(tape->nodes, capacity * sizeof *nodes) : NULL;
    ENSURE(nodes != NULL, err, IV_E_NOMEM, "cannot allocate %zu nodes of a record", capacity);
    tape->nodes = nodes;
    tape->capacity = (uint32_t)capacity;
    return IV_OK;
}

const char *iv_node_kind_name(enum iv_node_kind kind)
{
    static const char *const names[] = {
        [IV_NODE_NULL] = "null",      [IV_NODE_BOOL] = "a boolean",  [IV_NODE_INT] = "an integer",
        [IV_NODE_BIG] = "an integer", [IV_NODE_DOUBLE] = "a number", [IV_NODE_STRING] = "a string",
        [IV_NODE_LIST] = "a list",    [IV_NODE_MAP] = "an object",
    };
    return names[kind];
}

/* One reading of one text. */
struct walk {
    struct iv_tape *tape;
    struct iv_arena *arena;
    struct iv_err *err;
    struct iv_str text;
    const uint32_t *indexes;
    size_t count;
    size_t at;      /* the next of the indexes */
    unsigned base;  /* depth that stands around the text */
    unsigned depth; /* containers of the text that are open */
    bool escapes;   /* a backslash stands somewhere in the text */
};

static inline char peek(const struct walk *w)
{
    return w->at < w->count ? w->text.p[w->indexes[w->at]] : '\0';
}

static iv_rc syntax(struct walk *w, const char *expected)
{
    if (w->at >= w->count) {
        return iv_err_set(w->err, IV_E_SYNTAX, "is not JSON: it ends where %s is due", expected);
    }
    return iv_err_set(w->err, IV_E_SYNTAX, "is not JSON: no %s at byte %u", expected, w->indexes[w->at]);
}

/* From the index at hand to the next one, which is where a scalar and the white space behind it end. */
static inline struct iv_str token(const struct walk *w)
{
    size_t from = w->indexes[w->at];
    size_t to = w->at + 1 < w->count ? w->indexes[w->at + 1] : w->text.n;
    return (struct iv_str){w->text.p + from, to - from};
}

static inline bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline bool all_space(struct iv_str s, size_t from)
{
    for (size_t i = from; i < s.n; i++) {
        if (!is_space(s.p[i])) {
            return false;
        }
    }
    return true;
}

/* The nodes were reserved for all indexes of the text: each brings at most one. */
static inline struct iv_node *push(struct walk *w, enum iv_node_kind kind)
{
    struct iv_node *node = &w->tape->nodes[w->tape->count++];
    *node = (struct iv_node){.kind = (uint8_t)kind};
    return node;
}

static iv_rc take_escaped(struct walk *w, struct iv_node *node, struct iv_str inside)
{
    char *copy = iv_arena_alloc(w->arena, inside.n);
    ENSURE(copy != NULL, w->err, IV_E_NOMEM, "cannot allocate a string of %zu bytes", inside.n);
    size_t n = 0;
    ENSURE(iv_unescape(copy, &n, inside), w->err, IV_E_SYNTAX,
           "is not JSON: a wrong escape or half a surrogate pair in the string at byte %u",
           w->indexes[w->at]);
    node->p = copy;
    node->n = (uint32_t)n;
    return IV_OK;
}

static inline iv_rc take_string(struct walk *w)
{
    struct iv_str s = token(w);
    while (is_space(s.p[s.n - 1])) {
        s.n--;
    }
    struct iv_str inside = {s.p + 1, s.n - 2};
    struct iv_node *node = push(w, IV_NODE_STRING);
    if (IV_UNLIKELY(w->escapes) && memchr(inside.p, '\\', inside.n) != NULL) {
        TRY(take_escaped(w, node, inside));
    } else {
        node->plain = true;
        node->p = inside.p;
        node->n = (uint32_t)inside.n;
    }
    w->at++;
    return IV_OK;
}

static iv_rc take_number(struct walk *w)
{
    struct iv_str s = token(w);
    size_t n = iv_number_read(push(w, IV_NODE_INT), s);
    if (n == 0 || !all_space(s, n)) {
        return syntax(w, "number");
    }
    w->at++;
    return IV_OK;
}

static iv_rc take_word(struct walk *w, struct iv_str word, enum iv_node_kind kind, bool b)
{
    struct iv_str s = token(w);
    if (s.n < word.n || memcmp(s.p, word.p, word.n) != 0 || !all_space(s, word.n)) {
        return syntax(w, "value");
    }
    push(w, kind)->b = b;
    w->at++;
    return IV_OK;
}

static iv_rc take_scalar(struct walk *w)
{
    switch (peek(w)) {
    case '"':
        return take_string(w);
    case 't':
        return take_word(w, IV_STR("true"), IV_NODE_BOOL, true);
    case 'f':
        return take_word(w, IV_STR("false"), IV_NODE_BOOL, false);
    case 'n':
        return take_word(w, IV_STR("null"), IV_NODE_NULL, false);
    default:
        return peek(w) == '-' || (peek(w) >= '0' && peek(w) <= '9') ? take_number(w) : syntax(w, "value");
    }
}

static inline iv_rc take_name(struct walk *w)
{
    if (peek(w) != '"') {
        return syntax(w, "member's name");
    }
    TRY(take_string(w));
    if (peek(w) != ':') {
        return syntax(w, "colon");
    }
    w->at++;
    return IV_OK;
}

static inline void put_plain(struct iv_node *node, const char *quote, const char *end)
{
    node->kind = IV_NODE_STRING;
    node->plain = true;
    node->superseded = false;
    node->n = (uint32_t)(end - quote - 2);
    node->p = quote + 1;
}

/* Most of an event is members such as "name":"value", one behind the other. Takes as many of them as stand at
 * hand, each with the comma behind it, in one tight loop; what it does not take (white space, escapes, the
 * last member) goes the long way round. */
static void take_plain_members(struct walk *w, struct iv_node *map)
{
    struct iv_tape *tape = w->tape;
    const char *text = w->text.p;
    const uint32_t *index = w->indexes + w->at;
    const uint32_t *end = w->indexes + w->count;
    struct iv_node *node = tape->nodes + tape->count;
    uint32_t n = map->n;
    while (end - index > 4 && n < tape->max_members) {
        const char *name = text + index[0];
        const char *colon = text + index[1];
        const char *value = text + index[2];
        const char *comma = text + index[3];
        if (*name != '"' || *colon != ':' || *value != '"' || *comma != ',' || colon[-1] != '"' ||
            comma[-1] != '"') {
            break;
        }
        put_plain(node++, name, colon);
        put_plain(node++, value, comma);
        index += 4;
        n++;
    }
    map->n = n;
    tape->count = (uint32_t)(node - tape->nodes);
    w->at = (size_t)(index - w->indexes);
}

/* Counts one more item or member of the innermost container. */
static inline iv_rc count_item(struct walk *w)
{
    struct iv_node *container = &w->tape->nodes[w->tape->open[w->depth - 1]];
    if (container->kind == IV_NODE_LIST) {
        container->n++;
        return IV_OK;
    }
    if (!w->escapes) {
        take_plain_members(w, container);
    }
    container->n++;
    ENSURE(container->n <= w->tape->max_members, w->err, IV_E_LIMIT,
           "has an object with more than %u members", w->tape->max_members);
    return take_name(w);
}

static iv_rc open_container(struct walk *w, enum iv_node_kind kind)
{
    ENSURE(w->base + w->depth < w->tape->max_depth, w->err, IV_E_LIMIT, "nests deeper than %u levels",
           w->tape->max_depth);
    w->tape->open[w->depth++] = w->tape->count;
    (void)push(w, kind);
    w->at++;
    return IV_OK;
}

/* Behind a value: closes what ends here, and goes to the next value. *done when the text's own value is
 * complete. */
static iv_rc follow(struct walk *w, bool *done)
{
    while (w->depth > 0) {
        struct iv_node *container = &w->tape->nodes[w->tape->open[w->depth - 1]];
        char c = peek(w);
        if (c == ',') {
            w->at++;
            return count_item(w);
        }
        if (c != (container->kind == IV_NODE_MAP ? '}' : ']')) {
            return syntax(w, container->kind == IV_NODE_MAP ? "comma or closing brace"
                                                            : "comma or closing bracket");
        }
        container->end = w->tape->count;
        w->depth--;
        w->at++;
    }
    *done = true;
    return IV_OK;
}

static iv_rc walk_value(struct walk *w)
{
    for (bool done = false; !done;) {
        char c = peek(w);
        if (c == '{' || c == '[') {
            TRY(open_container(w, c == '{' ? IV_NODE_MAP : IV_NODE_LIST));
            if (peek(w) !=
                c + 2) { /* in ASCII, a closing brace or bracket stands two behind the opening one */
                TRY(count_item(w));
                continue;
            }
        } else {
            TRY(take_scalar(w));
        }
        TRY(follow(w, &done));
    }
    return w->at == w->count ? IV_OK : syntax(w, "end");
}

static iv_rc scan_fault(enum iv_scan_fault fault, struct iv_err *err)
{
    switch (fault) {
    case IV_SCAN_EMPTY:
        return iv_err_set(err, IV_E_SYNTAX, "is not JSON: it is empty");
    case IV_SCAN_UTF8:
        return iv_err_set(err, IV_E_SYNTAX, "is not UTF-8");
    case IV_SCAN_UNCLOSED:
        return iv_err_set(err, IV_E_SYNTAX, "is not JSON: a string has no end");
    case IV_SCAN_CONTROL:
        return iv_err_set(err, IV_E_SYNTAX, "is not JSON: a control character stands in a string");
    case IV_SCAN_OK:
    case IV_SCAN_MEMORY:
        break;
    }
    return iv_err_set(err, IV_E_NOMEM, "cannot allocate the index of a record");
}

iv_rc iv_tape_read(struct iv_tape *tape, struct iv_str text, unsigned depth, struct iv_arena *arena,
                   struct iv_err *err)
{
    ENSURE(text.n > 0, err, IV_E_SYNTAX, "is not JSON: it is empty");
    struct walk w = {.tape = tape, .arena = arena, .err = err, .text = text, .base = depth};
    enum iv_scan_fault fault = iv_scan(tape->scan, text.p, text.n, &w.indexes, &w.count);
    if (fault != IV_SCAN_OK) {
        return scan_fault(fault, err);
    }
    TRY(iv_tape_reserve(tape, w.count, err));
    w.escapes = memchr(text.p, '\\', text.n) != NULL;
    return walk_value(&w);
}
