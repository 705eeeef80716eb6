/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/regex_parse.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/utf8.h"

#define NESTING_MAX 100
#define REPEAT_MAX 1000
#define RANGES_MAX 512
#define CODE_POINT_MAX 0x10ffffu

struct flags {
    bool fold;      /* i: ASCII letters without case */
    bool dot_all;   /* s */
    bool multiline; /* m */
};

struct parser {
    struct iv_str s;
    size_t at;
    struct iv_arena *arena;
    struct iv_err *err;
    struct flags flags;
    int nesting;
    bool quoting; /* inside of \Q…\E */
};

struct ranges {
    struct iv_regex_range items[RANGES_MAX];
    uint32_t count;
};

static iv_rc parse_alternatives(const struct iv_regex_node **out, struct parser *p);

static iv_rc wrong(struct parser *p, const char *what)
{
    return iv_err_set(p->err, IV_E_EVAL, "the pattern '" IV_STR_FMT "' is wrong at its byte %zu: %s",
                      IV_STR_ARG(p->s), p->at, what);
}

static bool more(const struct parser *p)
{
    return p->at < p->s.n;
}

static bool ahead(const struct parser *p, const char *text)
{
    size_t n = strlen(text);
    return p->s.n - p->at >= n && memcmp(p->s.p + p->at, text, n) == 0;
}

static bool accept(struct parser *p, const char *text)
{
    if (!ahead(p, text)) {
        return false;
    }
    p->at += strlen(text);
    return true;
}

static iv_rc make(struct iv_regex_node **out, struct parser *p, enum iv_regex_kind kind, uint32_t size)
{
    struct iv_regex_node *node = iv_arena_zalloc(p->arena, sizeof *node);
    ENSURE(node != NULL, p->err, IV_E_NOMEM, "not enough memory for a pattern");
    ENSURE(size <= IV_REGEX_SIZE_MAX, p->err, IV_E_EVAL,
           "the pattern '" IV_STR_FMT "' is too large: its repetitions written out, at most %u parts",
           IV_STR_ARG(p->s), IV_REGEX_SIZE_MAX);
    node->kind = kind;
    node->size = size;
    *out = node;
    return IV_OK;
}

static iv_rc make_pair(const struct iv_regex_node **out, struct parser *p, enum iv_regex_kind kind,
                       const struct iv_regex_node *left, const struct iv_regex_node *right)
{
    struct iv_regex_node *node = NULL;
    TRY(make(&node, p, kind, left->size + right->size + (kind == IV_REGEX_ALT ? 2 : 0)));
    node->left = left;
    node->right = right;
    *out = node;
    return IV_OK;
}

static iv_rc make_assert(const struct iv_regex_node **out, struct parser *p, enum iv_regex_assert assert)
{
    struct iv_regex_node *node = NULL;
    TRY(make(&node, p, IV_REGEX_ASSERT, 1));
    node->assert = assert;
    *out = node;
    return IV_OK;
}

static bool add_range(struct ranges *r, uint32_t low, uint32_t high)
{
    if (r->count == RANGES_MAX) {
        return false;
    }
    r->items[r->count++] = (struct iv_regex_range){low, high};
    return true;
}

/* With the other case of what ASCII letters are in it. */
static bool add_folded(struct ranges *r, uint32_t low, uint32_t high, bool fold)
{
    bool good = add_range(r, low, high);
    for (uint32_t c = 'a'; fold && good && c <= 'z'; c++) {
        uint32_t upper = c - 'a' + 'A';
        if (c >= low && c <= high && !(upper >= low && upper <= high)) {
            good = add_range(r, upper, upper);
        }
        if (upper >= low && upper <= high && !(c >= low && c <= high)) {
            good = good && add_range(r, c, c);
        }
    }
    return good;
}

static iv_rc make_set(const struct iv_regex_node **out, struct parser *p, const struct ranges *r,
                      bool negated)
{
    struct iv_regex_node *node = NULL;
    TRY(make(&node, p, IV_REGEX_SET, 1));
    struct iv_regex_range *items = iv_arena_alloc(p->arena, (r->count + 1) * sizeof *items);
    ENSURE(items != NULL, p->err, IV_E_NOMEM, "not enough memory for a pattern");
    memcpy(items, r->items, r->count * sizeof *items);
    node->set = (struct iv_regex_set){items, r->count, negated};
    *out = node;
    return IV_OK;
}

static iv_rc make_char(const struct iv_regex_node **out, struct parser *p, uint32_t c)
{
    struct ranges r = {.count = 0};
    (void)add_folded(&r, c, c, p->flags.fold);
    return make_set(out, p, &r, false);
}

static const struct {
    const char *name;
    struct iv_regex_range ranges[6];
} classes[] = {
    {"d", {{'0', '9'}}},
    {"w", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"s", {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}},
    {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}},
    {"alpha", {{'A', 'Z'}, {'a', 'z'}}},
    {"ascii", {{1, 0x7f}}},
    {"blank", {{'\t', '\t'}, {' ', ' '}}},
    {"cntrl", {{1, 0x1f}, {0x7f, 0x7f}}},
    {"digit", {{'0', '9'}}},
    {"graph", {{'!', '~'}}},
    {"lower", {{'a', 'z'}}},
    {"print", {{' ', '~'}}},
    {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}},
    {"space", {{'\t', '\r'}, {' ', ' '}}},
    {"upper", {{'A', 'Z'}}},
    {"word", {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}},
    {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}},
};

/* Adds the named class, or all that is not in it: its ranges stand in order, so the gaps are easy to say. */
static bool add_class(struct ranges *r, struct iv_str name, bool negated)
{
    for (size_t i = 0; i < IV_COUNT(classes); i++) {
        if (!iv_str_eq(name, iv_str_of(classes[i].name))) {
            continue;
        }
        uint32_t next = 0;
        bool good = true;
        for (size_t k = 0; k < IV_COUNT(classes[i].ranges) && classes[i].ranges[k].high != 0; k++) {
            struct iv_regex_range range = classes[i].ranges[k];
            if (!negated) {
                good = good && add_range(r, range.low, range.high);
            } else if (range.low > next) {
                good = good && add_range(r, next, range.low - 1);
            }
            next = range.high + 1;
        }
        return good && (!negated || add_range(r, next, CODE_POINT_MAX));
    }
    return false;
}

static bool hex_digit(uint32_t *v, char c)
{
    int digit = iv_hex_digit(c);
    if (digit < 0) {
        return false;
    }
    *v = *v * 16 + (uint32_t)digit;
    return *v <= CODE_POINT_MAX;
}

/* Behind "\x": two digits, or any number in braces. */
static bool hex_escape(uint32_t *out, struct parser *p)
{
    uint32_t v = 0;
    if (accept(p, "{")) {
        size_t start = p->at;
        while (more(p) && p->s.p[p->at] != '}') {
            if (!hex_digit(&v, p->s.p[p->at++])) {
                return false;
            }
        }
        *out = v;
        return p->at > start && accept(p, "}");
    }
    for (int i = 0; i < 2; i++) {
        if (!more(p) || !hex_digit(&v, p->s.p[p->at++])) {
            return false;
        }
    }
    *out = v;
    return true;
}

/* An escape that stands for one character; the backslash is consumed. */
static iv_rc char_escape(uint32_t *out, struct parser *p)
{
    static const char letters[] = "aftnrv";
    static const char values[] = "\a\f\t\n\r\v";
    if (!more(p)) {
        return wrong(p, "a backslash at the end");
    }
    char c = p->s.p[p->at];
    const char *letter = strchr(letters, c);
    if (c != '\0' && letter != NULL) {
        p->at++;
        *out = (unsigned char)values[letter - letters];
        return IV_OK;
    }
    if (c == 'x') {
        p->at++;
        return hex_escape(out, p) ? IV_OK : wrong(p, "\\x needs two hexadecimal digits, or some in braces");
    }
    if (c == '0') {
        p->at++;
        *out = 0;
        for (int i = 0; i < 2 && more(p) && p->s.p[p->at] >= '0' && p->s.p[p->at] <= '7'; i++) {
            *out = *out * 8 + (uint32_t)(p->s.p[p->at++] - '0');
        }
        return IV_OK;
    }
    if ((c >= '1' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return wrong(p, "there is no such escape (no backreferences, no \\p classes)");
    }
    *out = iv_utf8_next(p->s, &p->at);
    return IV_OK;
}

static bool is_class_letter(char c)
{
    return c != '\0' && strchr("dwsDWS", c) != NULL;
}

static bool add_class_letter(struct ranges *r, char c)
{
    bool negated = c >= 'A' && c <= 'Z';
    char lower = negated ? (char)(c + ('a' - 'A')) : c;
    return add_class(r, (struct iv_str){&lower, 1}, negated);
}

static iv_rc parse_escape(const struct iv_regex_node **out, struct parser *p)
{
    char c = more(p) ? p->s.p[p->at] : '\0';
    if (is_class_letter(c)) {
        struct ranges r = {.count = 0};
        p->at++;
        (void)add_class_letter(&r, c);
        return make_set(out, p, &r, false);
    }
    if (c == 'A' || c == 'z' || c == 'b' || c == 'B') {
        p->at++;
        return make_assert(out, p,
                           c == 'A'   ? IV_REGEX_TEXT_START
                           : c == 'z' ? IV_REGEX_TEXT_END
                           : c == 'b' ? IV_REGEX_WORD_EDGE
                                      : IV_REGEX_NO_WORD_EDGE);
    }
    if (c == 'Q') {
        struct iv_regex_node *node = NULL;
        p->at++;
        p->quoting = true;
        TRY(make(&node, p, IV_REGEX_EMPTY, 0));
        *out = node;
        return IV_OK;
    }
    uint32_t v = 0;
    TRY(char_escape(&v, p));
    return make_char(out, p, v);
}

/* "[:alpha:]" or "[:^alpha:]", if that is what stands here. */
static iv_rc class_name(bool *was, struct ranges *r, struct parser *p)
{
    *was = false;
    const char *end = ahead(p, "[:") ? memmem(p->s.p + p->at, p->s.n - p->at, ":]", 2) : NULL;
    if (end == NULL) {
        return IV_OK;
    }
    p->at += 2;
    bool negated = accept(p, "^");
    struct iv_str name = {p->s.p + p->at, (size_t)(end - (p->s.p + p->at))};
    if (name.n < 2 || !add_class(r, name, negated)) {
        return wrong(p, "there is no such character class");
    }
    p->at += name.n + 2;
    *was = true;
    return IV_OK;
}

static iv_rc class_char(uint32_t *out, struct parser *p)
{
    if (!more(p)) {
        return wrong(p, "a ']' is missing");
    }
    if (accept(p, "\\")) {
        return char_escape(out, p);
    }
    *out = iv_utf8_next(p->s, &p->at);
    return IV_OK;
}

static iv_rc class_item(struct ranges *r, struct parser *p)
{
    bool was_name = false;
    TRY(class_name(&was_name, r, p));
    if (was_name) {
        return IV_OK;
    }
    if (ahead(p, "\\") && p->at + 1 < p->s.n && is_class_letter(p->s.p[p->at + 1])) {
        p->at += 2;
        return add_class_letter(r, p->s.p[p->at - 1]) ? IV_OK : wrong(p, "too many ranges in a class");
    }
    uint32_t low = 0;
    TRY(class_char(&low, p));
    uint32_t high = low;
    if (ahead(p, "-") && !ahead(p, "-]")) {
        p->at++;
        TRY(class_char(&high, p));
        if (high < low) {
            return wrong(p, "a range whose end is before its start");
        }
    }
    return add_folded(r, low, high, p->flags.fold) ? IV_OK : wrong(p, "too many ranges in a class");
}

static iv_rc parse_class(const struct iv_regex_node **out, struct parser *p)
{
    struct ranges r = {.count = 0};
    bool negated = accept(p, "^");
    bool first = true;
    while (first || !ahead(p, "]")) {
        if (!more(p)) {
            return wrong(p, "a ']' is missing");
        }
        first = false;
        TRY(class_item(&r, p));
    }
    p->at++;
    return make_set(out, p, &r, negated);
}

/* Behind "(?": flags, then ':' for this group or ')' for the rest of the one around. */
static iv_rc parse_flags(struct parser *p, bool *alone)
{
    bool on = true;
    for (; more(p); p->at++) {
        switch (p->s.p[p->at]) {
        case 'i':
            p->flags.fold = on;
            break;
        case 's':
            p->flags.dot_all = on;
            break;
        case 'm':
            p->flags.multiline = on;
            break;
        case 'U': /* greed does not matter to whether it matches */
            break;
        case '-':
            on = false;
            break;
        case ':':
        case ')':
            *alone = p->s.p[p->at++] == ')';
            return IV_OK;
        default:
            return wrong(p, "there is no such flag or group (no lookaround)");
        }
    }
    return wrong(p, "a ')' is missing");
}

static iv_rc parse_group(const struct iv_regex_node **out, struct parser *p)
{
    struct flags around = p->flags;
    bool alone = false;
    if (accept(p, "?P<") || (ahead(p, "?<") && !ahead(p, "?<=") && !ahead(p, "?<!") && accept(p, "?<"))) {
        const char *end = memchr(p->s.p + p->at, '>', p->s.n - p->at);
        if (end == NULL) {
            return wrong(p, "a '>' is missing behind a group's name");
        }
        p->at = (size_t)(end - p->s.p) + 1;
    } else if (accept(p, "?")) {
        TRY(parse_flags(p, &alone));
    }
    if (alone) {
        struct iv_regex_node *node = NULL;
        TRY(make(&node, p, IV_REGEX_EMPTY, 0));
        *out = node;
        return IV_OK;
    }
    TRY(parse_alternatives(out, p));
    if (!accept(p, ")")) {
        return wrong(p, "a ')' is missing");
    }
    p->flags = around;
    return IV_OK;
}

static iv_rc parse_dot(const struct iv_regex_node **out, struct parser *p)
{
    struct ranges r = {.count = 0};
    if (!p->flags.dot_all) {
        (void)add_range(&r, '\n', '\n');
    }
    return make_set(out, p, &r, true);
}

static iv_rc parse_atom(const struct iv_regex_node **out, struct parser *p)
{
    if (p->quoting) {
        return make_char(out, p, iv_utf8_next(p->s, &p->at));
    }
    char c = p->s.p[p->at];
    if (c == '*' || c == '+' || c == '?') {
        return wrong(p, "nothing to repeat");
    }
    if (accept(p, "(")) {
        return parse_group(out, p);
    }
    if (accept(p, "[")) {
        return parse_class(out, p);
    }
    if (accept(p, "\\")) {
        return parse_escape(out, p);
    }
    if (accept(p, ".")) {
        return parse_dot(out, p);
    }
    if (accept(p, "^")) {
        return make_assert(out, p, p->flags.multiline ? IV_REGEX_LINE_START : IV_REGEX_TEXT_START);
    }
    if (accept(p, "$")) {
        return make_assert(out, p, p->flags.multiline ? IV_REGEX_LINE_END : IV_REGEX_TEXT_END);
    }
    return make_char(out, p, iv_utf8_next(p->s, &p->at));
}

static bool parse_count(int *out, struct parser *p)
{
    size_t start = p->at;
    int v = 0;
    for (; more(p) && p->s.p[p->at] >= '0' && p->s.p[p->at] <= '9' && v <= REPEAT_MAX; p->at++) {
        v = v * 10 + (p->s.p[p->at] - '0');
    }
    if (p->at == start) {
        return false;
    }
    *out = v;
    return true;
}

/* "{n}", "{n,}", "{n,m}"; anything else in braces is text. */
static bool parse_braces(struct parser *p, int *least, int *most)
{
    size_t start = p->at;
    if (accept(p, "{") && parse_count(least, p)) {
        *most = *least;
        if (accept(p, ",")) {
            *most = -1;
            (void)parse_count(most, p);
        }
        if (accept(p, "}")) {
            return true;
        }
    }
    p->at = start;
    return false;
}

static bool parse_repeat(struct parser *p, int *least, int *most)
{
    *least = 0;
    *most = -1;
    if (p->quoting) {
        return false;
    }
    if (accept(p, "*")) {
        return true;
    }
    if (accept(p, "+")) {
        *least = 1;
        return true;
    }
    if (accept(p, "?")) {
        *most = 1;
        return true;
    }
    return parse_braces(p, least, most);
}

static iv_rc parse_repeated(const struct iv_regex_node **out, struct parser *p)
{
    TRY(parse_atom(out, p));
    int least = 0;
    int most = 0;
    while (parse_repeat(p, &least, &most)) {
        (void)accept(p, "?"); /* lazy: the same to a search that only asks whether */
        if (least > REPEAT_MAX || most > REPEAT_MAX || (most >= 0 && most < least)) {
            return wrong(p, "a repetition of at most 1000, the least before the most");
        }
        struct iv_regex_node *node = NULL;
        const struct iv_regex_node *inner = *out;
        uint32_t copies = (uint32_t)(most < 0 ? least + 1 : most);
        TRY(make(&node, p, IV_REGEX_REPEAT, (inner->size + 2) * (copies == 0 ? 1 : copies)));
        node->left = inner;
        node->least = least;
        node->most = most;
        *out = node;
    }
    return IV_OK;
}

static iv_rc parse_sequence(const struct iv_regex_node **out, struct parser *p)
{
    struct iv_regex_node *empty = NULL;
    TRY(make(&empty, p, IV_REGEX_EMPTY, 0));
    const struct iv_regex_node *left = empty;
    while (more(p)) {
        if (p->quoting && accept(p, "\\E")) {
            p->quoting = false;
            continue;
        }
        if (!p->quoting && (ahead(p, "|") || ahead(p, ")"))) {
            break;
        }
        const struct iv_regex_node *right = NULL;
        TRY(parse_repeated(&right, p));
        TRY(make_pair(&left, p, IV_REGEX_CAT, left, right));
    }
    *out = left;
    return IV_OK;
}

static iv_rc parse_alternatives(const struct iv_regex_node **out, struct parser *p)
{
    if (++p->nesting > NESTING_MAX) {
        return wrong(p, "nested too deep");
    }
    TRY(parse_sequence(out, p));
    while (accept(p, "|")) {
        const struct iv_regex_node *right = NULL;
        TRY(parse_sequence(&right, p));
        TRY(make_pair(out, p, IV_REGEX_ALT, *out, right));
    }
    p->nesting--;
    return IV_OK;
}

iv_rc iv_regex_parse(const struct iv_regex_node **out, struct iv_str pattern, struct iv_arena *arena,
                     struct iv_err *err)
{
    struct parser p = {.s = pattern, .arena = arena, .err = err};
    TRY(parse_alternatives(out, &p));
    return more(&p) ? wrong(&p, "a ')' without its '('") : IV_OK;
}
