/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/lex.h"
#include "base/guard.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The character so many places on; NUL behind the end, which no token contains. */
static char peek(const struct iv_cel_lexer *l, uint32_t ahead)
{
    size_t i = (size_t)l->at + ahead;
    return i < l->c->source.n ? l->c->source.p[i] : '\0';
}

static void skip_blanks(struct iv_cel_lexer *l)
{
    for (;;) {
        char c = peek(l, 0);
        if (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r') {
            l->at++;
        } else if (c == '/' && peek(l, 1) == '/') {
            while (l->at < l->c->source.n && peek(l, 0) != '\n') {
                l->at++;
            }
        } else {
            return;
        }
    }
}

static struct iv_cel_token token_from(const struct iv_cel_lexer *l, enum iv_cel_token_kind kind,
                                      uint32_t start)
{
    return (struct iv_cel_token){.kind = kind, .offset = start, .length = l->at - start};
}

static struct iv_cel_token lex_number(struct iv_cel_lexer *l)
{
    uint32_t start = l->at;
    enum iv_cel_token_kind kind = IV_CEL_T_INT;
    if (peek(l, 0) == '0' && (peek(l, 1) == 'x' || peek(l, 1) == 'X') && is_hex(peek(l, 2))) {
        l->at += 2;
        while (is_hex(peek(l, 0))) {
            l->at++;
        }
    } else {
        while (is_digit(peek(l, 0))) {
            l->at++;
        }
        if (peek(l, 0) == '.' && is_digit(peek(l, 1))) {
            kind = IV_CEL_T_DOUBLE;
            for (l->at++; is_digit(peek(l, 0));) {
                l->at++;
            }
        }
        uint32_t sign = peek(l, 1) == '+' || peek(l, 1) == '-';
        if ((peek(l, 0) == 'e' || peek(l, 0) == 'E') && is_digit(peek(l, 1 + sign))) {
            kind = IV_CEL_T_DOUBLE;
            for (l->at += 1 + sign; is_digit(peek(l, 0));) {
                l->at++;
            }
        }
    }
    if (kind == IV_CEL_T_INT && (peek(l, 0) == 'u' || peek(l, 0) == 'U')) {
        kind = IV_CEL_T_UINT;
        l->at++;
    }
    if (is_word(peek(l, 0))) {
        char unit = peek(l, 0);
        bool time = unit == 'h' || unit == 'm' || unit == 's';
        iv_cel_report(l->c, l->at, 1,
                      time ? "'%c' cannot follow a number; a length of time is duration(\"5%c\")"
                           : "'%c' cannot follow a number",
                      unit, unit);
        return token_from(l, IV_CEL_T_BAD, start);
    }
    return token_from(l, kind, start);
}

/* At the quote; prefixes are behind. A raw string has no escapes, so a backslash does not guard the quote in
 * it. */
static struct iv_cel_token lex_text(struct iv_cel_lexer *l, uint32_t start, bool raw,
                                    enum iv_cel_token_kind kind)
{
    char quote = peek(l, 0);
    bool triple = peek(l, 1) == quote && peek(l, 2) == quote;
    l->at += triple ? 3 : 1;
    while (l->at < l->c->source.n) {
        char c = peek(l, 0);
        if (c == quote && (!triple || (peek(l, 1) == quote && peek(l, 2) == quote))) {
            l->at += triple ? 3 : 1;
            return token_from(l, kind, start);
        }
        if (!triple && (c == '\n' || c == '\r')) {
            break;
        }
        l->at += !raw && c == '\\' ? 2 : 1;
    }
    l->at = l->at < l->c->source.n ? l->at : (uint32_t)l->c->source.n;
    iv_cel_report(l->c, start, l->at - start, "the string has no closing %s%c", triple ? "triple " : "",
                  quote);
    return token_from(l, IV_CEL_T_BAD, start);
}

/* r, R, b, B and their pairs before a quote begin a string literal; other words are names. */
static struct iv_cel_token lex_word(struct iv_cel_lexer *l)
{
    uint32_t start = l->at;
    bool raw = false;
    bool bytes = false;
    for (uint32_t i = 0; i < 3; i++) {
        char c = peek(l, i);
        if (c == '"' || c == '\'') {
            l->at += i;
            return lex_text(l, start, raw, bytes ? IV_CEL_T_BYTES : IV_CEL_T_STRING);
        }
        if ((c == 'r' || c == 'R') && !raw) {
            raw = true;
        } else if ((c == 'b' || c == 'B') && !bytes) {
            bytes = true;
        } else {
            break;
        }
    }
    while (is_word(peek(l, 0))) {
        l->at++;
    }
    return token_from(l, IV_CEL_T_IDENT, start);
}

static struct iv_cel_token lex_quoted(struct iv_cel_lexer *l)
{
    uint32_t start = l->at++;
    while (is_word(peek(l, 0)) || peek(l, 0) == '.' || peek(l, 0) == '-' || peek(l, 0) == '/' ||
           peek(l, 0) == ' ') {
        l->at++;
    }
    if (peek(l, 0) != '`' || l->at == start + 1) {
        iv_cel_report(l->c, start, l->at - start,
                      "a quoted name holds letters, digits, '_', '.', '-', '/' and "
                      "spaces between two backticks");
        return token_from(l, IV_CEL_T_BAD, start);
    }
    l->at++;
    return token_from(l, IV_CEL_T_QUOTED, start);
}

static struct iv_cel_token lex_op(struct iv_cel_lexer *l)
{
    static const char pairs[][2] = {{'&', '&'}, {'|', '|'}, {'=', '='}, {'!', '='}, {'<', '='}, {'>', '='}};
    uint32_t start = l->at;
    char c = peek(l, 0);
    for (size_t i = 0; i < IV_COUNT(pairs); i++) {
        if (c == pairs[i][0] && peek(l, 1) == pairs[i][1]) {
            l->at += 2;
            struct iv_cel_token t = token_from(l, IV_CEL_T_OP, start);
            t.op = IV_CEL_OP2(pairs[i][0], pairs[i][1]);
            return t;
        }
    }
    l->at++;
    if (c != '\0' && strchr("+-*/%<>!?:.,()[]{}", c) != NULL) {
        struct iv_cel_token t = token_from(l, IV_CEL_T_OP, start);
        t.op = (unsigned char)c;
        return t;
    }
    if (c == '&' || c == '|' || c == '=') {
        iv_cel_report(l->c, start, 1, "'%c' is no operator; did you mean '%c%c'?", c, c, c);
    } else if (c > ' ' && c < 0x7f) {
        iv_cel_report(l->c, start, 1, "'%c' has no meaning here", c);
    } else {
        iv_cel_report(l->c, start, 1, "the byte 0x%02x has no meaning outside of a string", (unsigned char)c);
    }
    return token_from(l, IV_CEL_T_BAD, start);
}

struct iv_cel_token iv_cel_lex(struct iv_cel_lexer *l)
{
    skip_blanks(l);
    if (l->at >= l->c->source.n) {
        return token_from(l, IV_CEL_T_END, l->at);
    }
    char c = peek(l, 0);
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1)))) {
        return lex_number(l);
    }
    if (is_word(c)) {
        return lex_word(l);
    }
    if (c == '"' || c == '\'') {
        return lex_text(l, l->at, false, IV_CEL_T_STRING);
    }
    return c == '`' ? lex_quoted(l) : lex_op(l);
}
