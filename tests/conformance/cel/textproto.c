/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/cel/textproto.h"

#include <criterion/criterion.h>

struct reader {
    struct iv_str s;
    size_t at;
    struct iv_arena *arena;
};

static char peek(const struct reader *r)
{
    return r->at < r->s.n ? r->s.p[r->at] : '\0';
}

static void skip_blanks(struct reader *r)
{
    for (; r->at < r->s.n; r->at++) {
        if (peek(r) == '#') {
            const char *end = memchr(r->s.p + r->at, '\n', r->s.n - r->at);
            r->at = end == NULL ? r->s.n : (size_t)(end - r->s.p);
        } else if (strchr(" \t\r\n", peek(r)) == NULL) {
            break;
        }
    }
}

static bool accept(struct reader *r, char c)
{
    skip_blanks(r);
    if (r->at >= r->s.n || peek(r) != c) {
        return false;
    }
    r->at++;
    return true;
}

static struct iv_str word(struct reader *r, const char *ends)
{
    skip_blanks(r);
    size_t start = r->at;
    while (r->at < r->s.n && strchr(ends, peek(r)) == NULL) {
        r->at++;
    }
    cr_assert(r->at > start, "textproto: a word is missing at byte %zu", r->at);
    return (struct iv_str){r->s.p + start, r->at - start};
}

static unsigned digits(struct reader *r, unsigned base, unsigned most)
{
    static const char alphabet[] = "0123456789abcdef";
    unsigned v = 0;
    for (unsigned i = 0; i < most; i++, r->at++) {
        char c = peek(r);
        const char *d = c == '\0' ? NULL : strchr(alphabet, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
        if (d == NULL || (unsigned)(d - alphabet) >= base) {
            break;
        }
        v = v * base + (unsigned)(d - alphabet);
    }
    return v;
}

static size_t put_utf8(char *out, unsigned c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6) {
        out[i] = (char)(0x80 | (c & 0x3f));
    }
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[n] | c);
    return n;
}

static size_t unescape(struct reader *r, char *out)
{
    static const char letters[] = "abfnrtv\\'\"?";
    static const char values[] = "\a\b\f\n\r\t\v\\'\"?";
    char c = peek(r);
    if (c >= '0' && c <= '7') {
        *out = (char)digits(r, 8, 3);
        return 1;
    }
    r->at++;
    if (c == 'x' || c == 'X') {
        *out = (char)digits(r, 16, 2);
        return 1;
    }
    if (c == 'u' || c == 'U') {
        return put_utf8(out, digits(r, 16, c == 'u' ? 4 : 8));
    }
    const char *letter = strchr(letters, c);
    cr_assert(letter != NULL && c != '\0', "textproto: unknown escape '%c' at byte %zu", c, r->at);
    *out = values[letter - letters];
    return 1;
}

/* One or several quoted strings in a row. */
static struct iv_str strings(struct reader *r)
{
    static char out[1 << 16];
    size_t n = 0;
    for (skip_blanks(r); peek(r) == '"' || peek(r) == '\''; skip_blanks(r)) {
        char quote = r->s.p[r->at++];
        while (r->at < r->s.n && peek(r) != quote) {
            cr_assert(n < sizeof out - 8, "textproto: a string is too long");
            if (peek(r) == '\\') {
                r->at++;
                n += unescape(r, out + n);
            } else {
                out[n++] = r->s.p[r->at++];
            }
        }
        r->at++;
    }
    return iv_arena_str(r->arena, (struct iv_str){out, n});
}

static const struct text_field *fields(struct reader *r, char close);

static struct text_field *field(struct reader *r)
{
    struct text_field *f = iv_arena_zalloc(r->arena, sizeof *f);
    cr_assert(f != NULL);
    skip_blanks(r);
    f->name = word(r, peek(r) == '[' ? " \t\n:{" : " \t\r\n:{<#,;");
    bool colon = accept(r, ':');
    if (accept(r, '{')) {
        f->is_message = true;
        f->first = fields(r, '}');
    } else {
        cr_assert(colon, "textproto: ':' or '{' is missing at byte %zu", r->at);
        skip_blanks(r);
        bool quoted = peek(r) == '"' || peek(r) == '\'';
        f->text = quoted ? strings(r) : word(r, " \t\r\n}#,;");
    }
    if (!accept(r, ',')) {
        (void)accept(r, ';');
    }
    return f;
}

static const struct text_field *fields(struct reader *r, char close)
{
    struct text_field head = {.next = NULL};
    struct text_field *last = &head;
    for (;;) {
        skip_blanks(r);
        if (close == '\0' ? r->at >= r->s.n : accept(r, close)) {
            return head.next;
        }
        cr_assert(r->at < r->s.n, "textproto: '%c' is missing", close);
        struct text_field *f = field(r);
        last->next = f;
        last = f;
    }
}

const struct text_field *textproto_read(struct iv_str text, struct iv_arena *arena)
{
    struct reader r = {text, 0, arena};
    return fields(&r, '\0');
}

static const struct text_field *find(const struct text_field *field, struct iv_str name)
{
    while (field != NULL && !iv_str_eq(field->name, name)) {
        field = field->next;
    }
    return field;
}

const struct text_field *textproto_get(const struct text_field *message, const char *name)
{
    return find(message, iv_str_of(name));
}

const struct text_field *textproto_next(const struct text_field *field)
{
    return find(field->next, field->name);
}

struct iv_str textproto_text(const struct text_field *message, const char *name)
{
    const struct text_field *f = textproto_get(message, name);
    return f == NULL || f->is_message ? IV_STR("") : f->text;
}
