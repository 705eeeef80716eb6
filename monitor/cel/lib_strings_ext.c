/* SPDX-License-Identifier: Apache-2.0 */
/* Source: the CEL extension "strings". Positions count code points. format() is in lib_format.c. */
#include "base/utf8.h"
#include "cel/lib.h"

static iv_rc out_of_range(int64_t index, struct iv_err *err)
{
    return iv_err_set(err, IV_E_EVAL, "index out of range: %lld", (long long)index);
}

/* The byte at which a code point begins; the end of the text is one too. */
static iv_rc offset_of(size_t *out, struct iv_str s, int64_t index, struct iv_err *err)
{
    if (index < 0 || (uint64_t)index > iv_utf8_count(s)) {
        return out_of_range(index, err);
    }
    *out = iv_utf8_offset(s, (size_t)index);
    return IV_OK;
}

IV_CEL_FN(iv_cel_char_at)
{
    struct iv_str s = iv_val_slice(args[0]);
    size_t start = 0;
    TRY(iv_cel_spend(frame, s.n >> 5, err));
    TRY(offset_of(&start, s, args[1].i, err));
    size_t end = start;
    if (end < s.n) {
        (void)iv_utf8_next(s, &end);
    }
    *out = iv_val_str((struct iv_str){s.p + start, end - start});
    return IV_OK;
}

static bool stands_at(struct iv_str s, struct iv_str part, size_t at)
{
    return part.n <= s.n - at && (part.n == 0 || memcmp(s.p + at, part.p, part.n) == 0);
}

IV_CEL_FN(iv_cel_index_of)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str part = iv_val_slice(args[1]);
    int64_t from = count > 2 ? args[2].i : 0;
    size_t start = 0;
    TRY(iv_cel_spend(frame, s.n >> 4, err));
    TRY(offset_of(&start, s, from, err));
    const char *found = part.n == 0 ? s.p + start : memmem(s.p + start, s.n - start, part.p, part.n);
    size_t at = found == NULL ? 0 : (size_t)(found - s.p);
    *out = iv_val_int(found == NULL ? -1 : (int64_t)iv_utf8_count((struct iv_str){s.p, at}));
    return IV_OK;
}

/* The last place at or before the given one. */
IV_CEL_FN(iv_cel_last_index_of)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str part = iv_val_slice(args[1]);
    size_t start = s.n;
    TRY(iv_cel_spend(frame, (size_t)s.n >> 4, err));
    if (count > 2) {
        TRY(offset_of(&start, s, args[2].i, err));
    }
    for (size_t at = start + 1; at-- > 0;) {
        if (stands_at(s, part, at)) {
            *out = iv_val_int((int64_t)iv_utf8_count((struct iv_str){s.p, at}));
            return IV_OK;
        }
    }
    *out = iv_val_int(-1);
    return IV_OK;
}

IV_CEL_FN(iv_cel_join)
{
    struct iv_str separator = count > 1 ? iv_val_slice(args[1]) : IV_STR("");
    struct iv_cel_text text;
    TRY(iv_cel_spend(frame, args[0].n, err));
    iv_cel_text_begin(&text, frame, 64);
    for (size_t i = 0; i < args[0].n; i++) {
        const struct iv_val *item = &args[0].items[i];
        if (item->kind != IV_KIND_STRING) {
            return iv_cel_fail_overload("join", item, 1, err);
        }
        iv_cel_text_add(&text, i > 0 ? separator : IV_STR(""));
        iv_cel_text_add(&text, iv_val_slice(*item));
    }
    return iv_cel_text_end(out, &text, err);
}

static iv_rc change_case(struct iv_val *out, const struct iv_val *arg, char first, char last,
                         struct iv_cel_frame *frame, struct iv_err *err)
{
    struct iv_cel_text text;
    iv_cel_text_begin(&text, frame, arg->n);
    iv_cel_text_add(&text, iv_val_slice(*arg));
    for (size_t i = 0; !text.failed && i < text.n; i++) {
        text.p[i] = (char)(text.p[i] >= first && text.p[i] <= last ? text.p[i] ^ 0x20 : text.p[i]);
    }
    return iv_cel_text_end(out, &text, err);
}

IV_CEL_FN(iv_cel_lower_ascii)
{
    return change_case(out, args, 'A', 'Z', frame, err);
}

IV_CEL_FN(iv_cel_upper_ascii)
{
    return change_case(out, args, 'a', 'z', frame, err);
}

/* Where part begins next at or behind from, NULL if nowhere. An empty part stands before each code point, and
 * at the end. */
static const char *next_part(struct iv_str s, struct iv_str part, size_t from)
{
    return part.n == 0 ? s.p + from : memmem(s.p + from, s.n - from, part.p, part.n);
}

IV_CEL_FN(iv_cel_replace)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str old = iv_val_slice(args[1]);
    struct iv_str new = iv_val_slice(args[2]);
    int64_t left = count > 3 && args[3].i >= 0 ? args[3].i : INT64_MAX;
    struct iv_cel_text text;
    iv_cel_text_begin(&text, frame, s.n);
    size_t done = 0;
    for (size_t from = 0; left > 0 && from <= s.n && !text.failed; left--) {
        const char *found = next_part(s, old, from);
        if (found == NULL) {
            break;
        }
        size_t at = (size_t)(found - s.p);
        iv_cel_text_add(&text, (struct iv_str){s.p + done, at - done});
        iv_cel_text_add(&text, new);
        done = at + old.n;
        from = done;
        if (old.n == 0) {
            if (from == s.n) {
                break;
            }
            (void)iv_utf8_next(s, &from);
        }
    }
    iv_cel_text_add(&text, (struct iv_str){s.p + done, s.n - done});
    return iv_cel_text_end(out, &text, err);
}

/* How many pieces a split makes, at most limit. */
static size_t count_pieces(struct iv_str s, struct iv_str separator, uint64_t limit)
{
    if (separator.n == 0) {
        size_t n = iv_utf8_count(s);
        return n < limit ? n : (size_t)limit;
    }
    size_t n = 1;
    const char *found = NULL;
    for (size_t at = 0; n < limit && (found = next_part(s, separator, at)) != NULL; n++) {
        at = (size_t)(found - s.p) + separator.n;
    }
    return n;
}

IV_CEL_FN(iv_cel_split)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_str separator = iv_val_slice(args[1]);
    uint64_t limit = count > 2 && args[2].i >= 0 ? (uint64_t)args[2].i : UINT64_MAX;
    struct iv_val *items = NULL;
    size_t n = limit == 0 ? 0 : count_pieces(s, separator, limit);
    TRY(iv_cel_spend(frame, n + (s.n >> 6), err));
    TRY(iv_cel_alloc(&items, frame, n * sizeof *items, err));
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t end = s.n;
        size_t next = s.n;
        if (i + 1 < n && separator.n == 0) {
            end = at;
            (void)iv_utf8_next(s, &end);
            next = end;
        } else if (i + 1 < n) {
            end = (size_t)(next_part(s, separator, at) - s.p);
            next = end + separator.n;
        }
        items[i] = iv_val_str((struct iv_str){s.p + at, end - at});
        at = next;
    }
    *out = (struct iv_val){.kind = IV_KIND_LIST, .n = (uint32_t)n, .items = items};
    return IV_OK;
}

IV_CEL_FN(iv_cel_substring)
{
    struct iv_str s = iv_val_slice(args[0]);
    size_t start = 0;
    size_t end = s.n;
    TRY(iv_cel_spend(frame, s.n >> 4, err));
    TRY(offset_of(&start, s, args[1].i, err));
    if (count > 2) {
        TRY(offset_of(&end, s, args[2].i, err));
    }
    ENSURE(start <= end, err, IV_E_EVAL, "substring's start, %lld, is behind its end, %lld",
           (long long)args[1].i, (long long)args[2].i);
    *out = iv_val_str((struct iv_str){s.p + start, end - start});
    return IV_OK;
}

/* Unicode's White_Space. */
static bool is_space(uint32_t c)
{
    static const uint32_t others[] = {0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000};
    if ((c >= '\t' && c <= '\r') || (c >= 0x2000 && c <= 0x200a)) {
        return true;
    }
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        if (c == others[i]) {
            return true;
        }
    }
    return false;
}

IV_CEL_FN(iv_cel_trim)
{
    struct iv_str s = iv_val_slice(args[0]);
    size_t start = s.n;
    size_t end = 0;
    TRY(iv_cel_spend(frame, s.n >> 3, err));
    for (size_t at = 0; at < s.n;) {
        size_t here = at;
        if (!is_space(iv_utf8_next(s, &at))) {
            start = here < start ? here : start;
            end = at;
        }
    }
    *out = iv_val_str(start < end ? (struct iv_str){s.p + start, end - start} : IV_STR(""));
    return IV_OK;
}

IV_CEL_FN(iv_cel_reverse)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_cel_text text;
    iv_cel_text_begin(&text, frame, s.n);
    for (size_t end = s.n, at = s.n; at-- > 0;) {
        if (((unsigned char)s.p[at] & 0xc0) != 0x80) {
            iv_cel_text_add(&text, (struct iv_str){s.p + at, end - at});
            end = at;
        }
    }
    return iv_cel_text_end(out, &text, err);
}

/* As a literal that CEL would read back. */
IV_CEL_FN(iv_cel_quote)
{
    static const char specials[] = "\a\b\f\n\r\t\v\\\"";
    static const char letters[] = "abfnrtv\\\"";
    struct iv_str s = iv_val_slice(args[0]);
    struct iv_cel_text text;
    iv_cel_text_begin(&text, frame, (size_t)s.n + 2);
    iv_cel_text_add(&text, IV_STR("\""));
    size_t plain = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *special = s.p[i] == '\0' ? NULL : strchr(specials, s.p[i]);
        if (special != NULL) {
            iv_cel_text_add(&text, (struct iv_str){s.p + plain, i - plain});
            iv_cel_text_printf(&text, "\\%c", letters[special - specials]);
            plain = i + 1;
        }
    }
    iv_cel_text_add(&text, (struct iv_str){s.p + plain, s.n - plain});
    iv_cel_text_add(&text, IV_STR("\""));
    return iv_cel_text_end(out, &text, err);
}
