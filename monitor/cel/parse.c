/* SPDX-License-Identifier: Apache-2.0 */
/* A recursive descent over CEL's grammar. Binary operators climb by precedence in a loop, so that a long
 * chain nests the tree but not the parser. */
#include "base/guard.h"
#include "cel/lex.h"

struct parser {
    struct iv_cel_compilation *c;
    struct iv_cel_lexer lexer;
    struct iv_cel_token now;
};

/* Items of a call, a list or a map while they are read. */
struct items {
    struct iv_cel_node **nodes;
    bool *optionals;
    uint32_t count;
    uint32_t capacity;
    bool any_optional;
};

static struct iv_cel_node *parse_expr(struct parser *p);

static void advance(struct parser *p)
{
    p->now = iv_cel_lex(&p->lexer);
}

static bool at_op(const struct parser *p, uint16_t op)
{
    return p->now.kind == IV_CEL_T_OP && p->now.op == op;
}

static bool accept_op(struct parser *p, uint16_t op)
{
    if (!at_op(p, op)) {
        return false;
    }
    advance(p);
    return true;
}

/* Says what was expected instead of the present token; answers NULL for the caller to return. */
static struct iv_cel_node *refuse(struct parser *p, const char *expected)
{
    struct iv_str text = iv_cel_token_text(p->c, p->now);
    if (p->now.kind == IV_CEL_T_END) {
        iv_cel_report(p->c, p->now.offset, 0, "the expression ends here, expected %s", expected);
    } else if (p->now.kind != IV_CEL_T_BAD) {
        iv_cel_report(p->c, p->now.offset, p->now.length, "unexpected '%.*s', expected %s",
                      (int)(text.n < 40 ? text.n : 40), text.p, expected);
    }
    return NULL;
}

static bool expect_op(struct parser *p, char op, const char *expected)
{
    if (accept_op(p, (unsigned char)op)) {
        return true;
    }
    (void)refuse(p, expected);
    return false;
}

static bool word_is(const struct parser *p, const char *word)
{
    return p->now.kind == IV_CEL_T_IDENT && iv_str_eq(iv_cel_token_text(p->c, p->now), iv_str_of(word));
}

static bool is_keyword(const struct parser *p)
{
    return word_is(p, "in") || word_is(p, "true") || word_is(p, "false") || word_is(p, "null");
}

static bool is_reserved(const struct parser *p)
{
    static const char *const words[] = {"as",        "break",  "const",  "continue", "else", "for",
                                        "function",  "if",     "import", "let",      "loop", "package",
                                        "namespace", "return", "var",    "void",     "while"};
    for (size_t i = 0; i < IV_COUNT(words); i++) {
        if (word_is(p, words[i])) {
            return true;
        }
    }
    return false;
}

static bool items_grow(struct parser *p, struct items *items)
{
    uint32_t capacity = items->capacity == 0 ? 4 : items->capacity * 2;
    struct iv_cel_node **nodes = iv_arena_alloc(p->c->arena, capacity * sizeof *nodes);
    bool *optionals = iv_arena_zalloc(p->c->arena, capacity * sizeof *optionals);
    if (nodes == NULL || optionals == NULL) {
        p->c->out_of_memory = true;
        return false;
    }
    if (items->count > 0) {
        memcpy(nodes, items->nodes, items->count * sizeof *nodes);
        memcpy(optionals, items->optionals, items->count * sizeof *optionals);
    }
    items->nodes = nodes;
    items->optionals = optionals;
    items->capacity = capacity;
    return true;
}

static bool items_add(struct parser *p, struct items *items, struct iv_cel_node *node, bool optional)
{
    if (node == NULL || (items->count == items->capacity && !items_grow(p, items))) {
        return false;
    }
    items->nodes[items->count] = node;
    items->optionals[items->count++] = optional;
    items->any_optional = items->any_optional || optional;
    return true;
}

/* Up to the closing bracket, which is consumed. Pairs: "key: value", where optionals go by pair. */
static bool parse_items(struct parser *p, struct items *items, char close, bool pairs, bool comma_may_end,
                        bool may_opt)
{
    while (!at_op(p, (unsigned char)close)) {
        bool optional = may_opt && accept_op(p, '?');
        if (!items_add(p, items, parse_expr(p), optional)) {
            return false;
        }
        if (pairs) {
            if (!expect_op(p, ':', "':' and the key's value") ||
                !items_add(p, items, parse_expr(p), optional)) {
                return false;
            }
        }
        if (!at_op(p, ',')) {
            break;
        }
        advance(p);
        if (at_op(p, (unsigned char)close) && !comma_may_end) {
            (void)refuse(p, "another argument");
            return false;
        }
    }
    char expected[] = "',' or ' '";
    expected[8] = close;
    return expect_op(p, close, expected);
}

static struct iv_cel_node *node_of_items(struct parser *p, enum iv_cel_node_kind kind, struct iv_cel_token at,
                                         const struct items *items)
{
    struct iv_cel_node *node = iv_cel_node_new(p->c, kind, at.offset, at.length, items->count);
    if (node == NULL) {
        return NULL;
    }
    if (items->count > 0) {
        memcpy(node->args, items->nodes, items->count * sizeof *node->args);
    }
    node->optionals = items->any_optional ? items->optionals : NULL;
    return iv_cel_node_close(p->c, node);
}

static struct iv_cel_node *call2(struct parser *p, const char *name, struct iv_cel_token at,
                                 struct iv_cel_node *a, struct iv_cel_node *b)
{
    struct iv_cel_node *node =
        iv_cel_node_new(p->c, IV_CEL_NODE_CALL, at.offset, at.length, b == NULL ? 1 : 2);
    if (node == NULL || a == NULL) {
        return NULL;
    }
    node->name = iv_str_of(name);
    node->args[0] = a;
    if (b != NULL) {
        node->args[1] = b;
    }
    return iv_cel_node_close(p->c, node);
}

/* The precedence of the binary operator at hand, 1 for the weakest; 0 if there is none. */
static int binary_at(const struct parser *p, const char **name)
{
    static const struct {
        uint16_t op;
        int precedence;
        const char *name;
    } table[] = {
        {IV_CEL_OP2('|', '|'), 1, "_||_"},
        {IV_CEL_OP2('&', '&'), 2, "_&&_"},
        {IV_CEL_OP2('=', '='), 3, "_==_"},
        {IV_CEL_OP2('!', '='), 3, "_!=_"},
        {'<', 3, "_<_"},
        {'>', 3, "_>_"},
        {IV_CEL_OP2('<', '='), 3, "_<=_"},
        {IV_CEL_OP2('>', '='), 3, "_>=_"},
        {'+', 4, "_+_"},
        {'-', 4, "_-_"},
        {'*', 5, "_*_"},
        {'/', 5, "_/_"},
        {'%', 5, "_%_"},
    };
    if (word_is(p, "in")) {
        *name = "@in";
        return 3;
    }
    for (size_t i = 0; p->now.kind == IV_CEL_T_OP && i < IV_COUNT(table); i++) {
        if (table[i].op == p->now.op) {
            *name = table[i].name;
            return table[i].precedence;
        }
    }
    return 0;
}

static struct iv_cel_node *parse_unary(struct parser *p);

static struct iv_cel_node *parse_binary(struct parser *p, int weakest)
{
    struct iv_cel_node *left = parse_unary(p);
    const char *name = NULL;
    for (int precedence; left != NULL && (precedence = binary_at(p, &name)) >= weakest && precedence > 0;) {
        struct iv_cel_token at = p->now;
        const char *op = name;
        advance(p);
        struct iv_cel_node *right = parse_binary(p, precedence + 1);
        left = right == NULL ? NULL : call2(p, op, at, left, right);
    }
    return left;
}

static struct iv_cel_node *parse_expr(struct parser *p)
{
    if (++p->c->nesting > IV_CEL_NESTING_MAX) {
        iv_cel_report(p->c, p->now.offset, p->now.length, "nested more than %u deep", IV_CEL_NESTING_MAX);
        return NULL;
    }
    struct iv_cel_node *node = parse_binary(p, 1);
    if (node != NULL && at_op(p, '?')) {
        struct iv_cel_token at = p->now;
        advance(p);
        struct iv_cel_node *yes = parse_binary(p, 1);
        if (yes == NULL || !expect_op(p, ':', "':' and what else holds")) {
            return NULL;
        }
        struct iv_cel_node *no = parse_expr(p);
        struct iv_cel_node *choice = iv_cel_node_new(p->c, IV_CEL_NODE_CALL, at.offset, at.length, 3);
        if (no == NULL || choice == NULL) {
            return NULL;
        }
        choice->name = IV_STR("_?_:_");
        choice->args[0] = node;
        choice->args[1] = yes;
        choice->args[2] = no;
        node = iv_cel_node_close(p->c, choice);
    }
    p->c->nesting--;
    return node;
}

static struct iv_cel_node *parse_literal(struct parser *p, bool negative)
{
    struct iv_cel_token at = p->now;
    struct iv_cel_node *node = iv_cel_node_new(p->c, IV_CEL_NODE_LITERAL, at.offset, at.length, 0);
    if (node == NULL) {
        return NULL;
    }
    bool good = at.kind == IV_CEL_T_STRING || at.kind == IV_CEL_T_BYTES
                    ? iv_cel_literal_text(&node->value, p->c, at)
                    : iv_cel_literal_number(&node->value, p->c, at, negative);
    if (!good) {
        return NULL;
    }
    advance(p);
    return node;
}

static struct iv_cel_node *parse_keyword(struct parser *p)
{
    struct iv_cel_node *node = iv_cel_node_new(p->c, IV_CEL_NODE_LITERAL, p->now.offset, p->now.length, 0);
    if (node == NULL) {
        return NULL;
    }
    if (word_is(p, "in")) {
        return refuse(p, "a value");
    }
    node->value =
        word_is(p, "null") ? (struct iv_val){.kind = IV_KIND_NULL} : iv_val_bool(word_is(p, "true"));
    advance(p);
    return node;
}

/* target may be NULL: a global call. The opening bracket is consumed. */
static struct iv_cel_node *parse_call(struct parser *p, struct iv_cel_node *target, struct iv_cel_token name,
                                      bool absolute)
{
    struct items items = {.nodes = NULL};
    if (!parse_items(p, &items, ')', false, false, false)) {
        return NULL;
    }
    struct iv_cel_node *call = node_of_items(p, IV_CEL_NODE_CALL, name, &items);
    if (call == NULL) {
        return NULL;
    }
    call->name = iv_cel_token_text(p->c, name);
    call->target = target;
    call->absolute = absolute;
    if (iv_cel_node_close(p->c, call) == NULL) {
        return NULL;
    }
    return absolute ? call : iv_cel_macro_expand(p->c, call);
}

static struct iv_cel_node *parse_name(struct parser *p)
{
    struct iv_cel_token dot = p->now;
    bool absolute = accept_op(p, '.');
    if (p->now.kind != IV_CEL_T_IDENT || is_keyword(p)) {
        return refuse(p, absolute ? "a name behind the dot" : "a value");
    }
    if (is_reserved(p)) {
        struct iv_str word = iv_cel_token_text(p->c, p->now);
        iv_cel_report(p->c, p->now.offset, p->now.length, "'" IV_STR_FMT "' is a reserved word",
                      IV_STR_ARG(word));
        return NULL;
    }
    struct iv_cel_token name = p->now;
    advance(p);
    if (accept_op(p, '(')) {
        return parse_call(p, NULL, name, absolute);
    }
    uint32_t offset = absolute ? dot.offset : name.offset;
    struct iv_cel_node *node =
        iv_cel_node_new(p->c, IV_CEL_NODE_IDENT, offset, name.offset + name.length - offset, 0);
    if (node == NULL) {
        return NULL;
    }
    node->name = iv_cel_token_text(p->c, name);
    node->absolute = absolute;
    return node;
}

static struct iv_cel_node *parse_primary(struct parser *p)
{
    struct iv_cel_token at = p->now;
    struct items items = {.nodes = NULL};
    if (at.kind == IV_CEL_T_BAD) {
        return NULL;
    }
    if (at.kind >= IV_CEL_T_INT && at.kind <= IV_CEL_T_BYTES) {
        return parse_literal(p, false);
    }
    if (is_keyword(p)) {
        return parse_keyword(p);
    }
    if (accept_op(p, '(')) {
        struct iv_cel_node *inner = parse_expr(p);
        if (inner == NULL || !expect_op(p, ')', "')'")) {
            return NULL;
        }
        inner->parenthesised = true;
        return inner;
    }
    if (accept_op(p, '[')) {
        return parse_items(p, &items, ']', false, true, true) ? node_of_items(p, IV_CEL_NODE_LIST, at, &items)
                                                              : NULL;
    }
    if (accept_op(p, '{')) {
        return parse_items(p, &items, '}', true, true, true) ? node_of_items(p, IV_CEL_NODE_MAP, at, &items)
                                                             : NULL;
    }
    return at.kind == IV_CEL_T_IDENT || at_op(p, '.') ? parse_name(p) : refuse(p, "a value");
}

/* Behind the dot. */
static struct iv_cel_node *parse_selection(struct parser *p, struct iv_cel_node *target)
{
    bool optional = accept_op(p, '?');
    bool quoted = p->now.kind == IV_CEL_T_QUOTED;
    if (!quoted && (p->now.kind != IV_CEL_T_IDENT || is_keyword(p))) {
        return refuse(p, "a field's name behind the dot");
    }
    struct iv_cel_token name = p->now;
    advance(p);
    if (!quoted && !optional && accept_op(p, '(')) {
        return parse_call(p, target, name, false);
    }
    struct iv_cel_node *node = iv_cel_node_new(p->c, IV_CEL_NODE_SELECT, name.offset, name.length, 0);
    if (node == NULL) {
        return NULL;
    }
    node->name = iv_cel_token_text(p->c, name);
    if (quoted) {
        node->name = (struct iv_str){node->name.p + 1, node->name.n - 2};
    }
    node->quoted = quoted;
    node->optional = optional;
    node->target = target;
    return iv_cel_node_close(p->c, node);
}

static struct iv_cel_node *parse_index(struct parser *p, struct iv_cel_node *target, struct iv_cel_token at)
{
    bool optional = accept_op(p, '?');
    struct iv_cel_node *index = parse_expr(p);
    if (index == NULL || !expect_op(p, ']', "']'")) {
        return NULL;
    }
    return call2(p, optional ? "_[?_]" : "_[_]", at, target, index);
}

/* A name of a message type: identifiers and dots only. */
static bool is_type_name(const struct iv_cel_node *node)
{
    while (node->kind == IV_CEL_NODE_SELECT && !node->optional && !node->quoted && !node->parenthesised) {
        node = node->target;
    }
    return node->kind == IV_CEL_NODE_IDENT && !node->parenthesised;
}

/* The fields are read for the sake of their syntax; message types themselves are not supported. */
static struct iv_cel_node *parse_struct(struct parser *p, struct iv_cel_node *type)
{
    while (!at_op(p, '}')) {
        (void)accept_op(p, '?');
        if (p->now.kind != IV_CEL_T_QUOTED && (p->now.kind != IV_CEL_T_IDENT || is_keyword(p))) {
            return refuse(p, "a field's name");
        }
        advance(p);
        if (!expect_op(p, ':', "':' and the field's value") || parse_expr(p) == NULL) {
            return NULL;
        }
        if (!accept_op(p, ',')) {
            break;
        }
    }
    if (!expect_op(p, '}', "',' or '}'")) {
        return NULL;
    }
    struct iv_cel_node *node = iv_cel_node_new(p->c, IV_CEL_NODE_STRUCT, type->offset, type->length, 0);
    if (node != NULL) {
        node->name = type->name;
    }
    return node;
}

static struct iv_cel_node *parse_member(struct parser *p)
{
    struct iv_cel_node *node = parse_primary(p);
    while (node != NULL) {
        struct iv_cel_token at = p->now;
        if (accept_op(p, '.')) {
            node = parse_selection(p, node);
        } else if (accept_op(p, '[')) {
            node = parse_index(p, node, at);
        } else if (at_op(p, '{') && is_type_name(node)) {
            advance(p);
            node = parse_struct(p, node);
        } else {
            break;
        }
    }
    return node;
}

/* A minus right before a number belongs to it: the least int cannot be written otherwise. */
static struct iv_cel_node *parse_unary(struct parser *p)
{
    struct iv_cel_token signs[IV_CEL_NESTING_MAX];
    size_t count = 0;
    while (at_op(p, '!') || at_op(p, '-')) {
        if (count == IV_COUNT(signs)) {
            iv_cel_report(p->c, p->now.offset, 1, "more than %u operators in a row", IV_CEL_NESTING_MAX);
            return NULL;
        }
        signs[count++] = p->now;
        advance(p);
    }
    struct iv_cel_node *node = NULL;
    if (count > 0 && signs[count - 1].op == '-' &&
        (p->now.kind == IV_CEL_T_INT || p->now.kind == IV_CEL_T_DOUBLE)) {
        node = parse_literal(p, true);
        count--;
        if (node != NULL && (at_op(p, '.') || at_op(p, '['))) {
            return refuse(p, "an operator");
        }
    } else {
        node = parse_member(p);
    }
    while (node != NULL && count > 0) {
        count--;
        node = call2(p, signs[count].op == '!' ? "!_" : "-_", signs[count], node, NULL);
    }
    return node;
}

struct iv_cel_node *iv_cel_parse(struct iv_cel_compilation *c)
{
    struct parser p = {.c = c, .lexer = {.c = c, .at = 0}};
    advance(&p);
    struct iv_cel_node *root = parse_expr(&p);
    if (root != NULL && p.now.kind != IV_CEL_T_END) {
        return refuse(&p, "an operator or the end");
    }
    return root;
}
