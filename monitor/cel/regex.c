/* SPDX-License-Identifier: Apache-2.0 */
/* The automaton: each instruction is a state, all states that the text read so far can lead to are followed
 * at once (Thompson 1968). Which text matched does not matter here, so neither do greed and captures. */
#include "cel/regex.h"
#include "base/guard.h"
#include "base/utf8.h"
#include "cel/regex_parse.h"

#define PATTERN_BYTES_MAX 4096u
#define NO_CHAR UINT32_MAX

enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_ASSERT, OP_MATCH };

struct insn {
    enum op op;
    enum iv_regex_assert assert;
    uint32_t x; /* SPLIT, JUMP */
    uint32_t y; /* SPLIT */
    struct iv_regex_set set;
};

struct iv_regex {
    struct insn *code;
    uint32_t count;
};

static uint32_t put(struct iv_regex *r, enum op op)
{
    r->code[r->count] = (struct insn){.op = op};
    return r->count++;
}

static void emit(struct iv_regex *r, const struct iv_regex_node *node);

static void emit_repeat(struct iv_regex *r, const struct iv_regex_node *node)
{
    for (int i = 0; i < node->least; i++) {
        emit(r, node->left);
    }
    if (node->most < 0) {
        uint32_t split = put(r, OP_SPLIT);
        emit(r, node->left);
        r->code[put(r, OP_JUMP)].x = split;
        r->code[split].x = split + 1;
        r->code[split].y = r->count;
        return;
    }
    for (int i = node->least; i < node->most; i++) {
        uint32_t split = put(r, OP_SPLIT);
        emit(r, node->left);
        r->code[split].x = split + 1;
        r->code[split].y = r->count;
    }
}

static void emit(struct iv_regex *r, const struct iv_regex_node *node)
{
    switch (node->kind) {
    case IV_REGEX_EMPTY:
        break;
    case IV_REGEX_SET:
        r->code[put(r, OP_SET)].set = node->set;
        break;
    case IV_REGEX_ASSERT:
        r->code[put(r, OP_ASSERT)].assert = node->assert;
        break;
    case IV_REGEX_CAT:
        emit(r, node->left);
        emit(r, node->right);
        break;
    case IV_REGEX_ALT: {
        uint32_t split = put(r, OP_SPLIT);
        emit(r, node->left);
        uint32_t jump = put(r, OP_JUMP);
        r->code[split].x = split + 1;
        r->code[split].y = r->count;
        emit(r, node->right);
        r->code[jump].x = r->count;
        break;
    }
    case IV_REGEX_REPEAT:
        emit_repeat(r, node);
        break;
    }
}

iv_rc iv_regex_compile(struct iv_regex **out, struct iv_str pattern, struct iv_arena *arena,
                       struct iv_err *err)
{
    ENSURE(pattern.n <= PATTERN_BYTES_MAX, err, IV_E_EVAL, "the pattern is longer than %u bytes",
           PATTERN_BYTES_MAX);
    const struct iv_regex_node *tree = NULL;
    TRY(iv_regex_parse(&tree, pattern, arena, err));
    struct iv_regex *r = iv_arena_zalloc(arena, sizeof *r);
    ENSURE(r != NULL, err, IV_E_NOMEM, "not enough memory for a pattern");
    r->code = iv_arena_alloc(arena, ((size_t)tree->size + 1) * sizeof *r->code);
    ENSURE(r->code != NULL, err, IV_E_NOMEM, "not enough memory for a pattern");
    emit(r, tree);
    (void)put(r, OP_MATCH);
    *out = r;
    return IV_OK;
}

/* The states of one place in the text: a list, and a mark for each state that is on it. */
struct states {
    uint32_t *list;
    uint32_t count;
};

struct search {
    const struct iv_regex *regex;
    struct states now;
    struct states next;
    uint32_t *stack;
    uint32_t *seen; /* by state: the number of the place where it was added last */
    uint32_t place;
    uint32_t before; /* the characters around the place */
    uint32_t after;
    bool matched;
};

static bool is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool holds(const struct search *s, enum iv_regex_assert assert)
{
    switch (assert) {
    case IV_REGEX_TEXT_START:
        return s->before == NO_CHAR;
    case IV_REGEX_TEXT_END:
        return s->after == NO_CHAR;
    case IV_REGEX_LINE_START:
        return s->before == NO_CHAR || s->before == '\n';
    case IV_REGEX_LINE_END:
        return s->after == NO_CHAR || s->after == '\n';
    case IV_REGEX_WORD_EDGE:
    case IV_REGEX_NO_WORD_EDGE:
        break;
    }
    return (is_word(s->before) != is_word(s->after)) == (assert == IV_REGEX_WORD_EDGE);
}

/* Adds the state and all that it leads to without a character. A state is on the stack at
 * most once a place. */
static void add(struct search *s, struct states *to, uint32_t state)
{
    uint32_t top = 0;
    s->stack[top++] = state;
    while (top > 0) {
        uint32_t i = s->stack[--top];
        const struct insn *insn = &s->regex->code[i];
        if (s->seen[i] == s->place) {
            continue;
        }
        s->seen[i] = s->place;
        switch (insn->op) {
        case OP_SET:
            to->list[to->count++] = i;
            break;
        case OP_SPLIT:
            s->stack[top++] = insn->y;
            s->stack[top++] = insn->x;
            break;
        case OP_JUMP:
            s->stack[top++] = insn->x;
            break;
        case OP_ASSERT:
            if (holds(s, insn->assert)) {
                s->stack[top++] = i + 1;
            }
            break;
        case OP_MATCH:
            s->matched = true;
            break;
        }
    }
}

static bool in_set(const struct iv_regex_set *set, uint32_t c)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (c >= set->ranges[i].low && c <= set->ranges[i].high) {
            return !set->negated;
        }
    }
    return set->negated;
}

static void step(struct search *s, uint32_t c)
{
    s->next.count = 0;
    for (uint32_t i = 0; i < s->now.count; i++) {
        uint32_t state = s->now.list[i];
        if (in_set(&s->regex->code[state].set, c)) {
            add(s, &s->next, state + 1);
        }
    }
    struct states swap = s->now;
    s->now = s->next;
    s->next = swap;
}

static uint32_t char_at(struct iv_str text, size_t at)
{
    return at < text.n ? iv_utf8_next(text, &at) : NO_CHAR;
}

iv_rc iv_regex_search(bool *out, const struct iv_regex *regex, struct iv_str text, struct iv_arena *arena,
                      struct iv_err *err)
{
    struct iv_arena_mark mark = iv_arena_mark(arena);
    size_t n = regex->count;
    uint32_t *memory = iv_arena_zalloc(arena, 5 * n * sizeof *memory + 8);
    ENSURE(memory != NULL, err, IV_E_NOMEM, "not enough memory to search for a pattern");
    struct search s = {.regex = regex, .seen = memory, .before = NO_CHAR};
    s.now.list = memory + n;
    s.next.list = memory + 2 * n;
    s.stack = memory + 3 * n; /* a state pushes at most two others, once */
    size_t at = 0;
    s.place = 1;
    s.after = char_at(text, 0);
    add(&s, &s.now, 0);
    while (!s.matched && at < text.n) {
        uint32_t c = iv_utf8_next(text, &at);
        s.before = c;
        s.after = char_at(text, at);
        s.place++;
        step(&s, c);
        if (!s.matched) {
            add(&s, &s.now, 0); /* a match may begin here too */
        }
    }
    *out = s.matched;
    iv_arena_rewind(arena, mark);
    return IV_OK;
}

size_t iv_regex_cost(const struct iv_regex *regex, size_t bytes)
{
    return (bytes + 1) * regex->count / 16;
}
