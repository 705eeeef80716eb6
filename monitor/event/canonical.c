/* SPDX-License-Identifier: Apache-2.0 */
#include "event/canonical.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "event/scan.h"
#include "event/sort.h"

#include <math.h>

#define EXACT_INTEGER INT64_C(9007199254740992) /* 2^53: I-JSON's bound, RFC 7493 2.2 */
#define LONGEST_NUMBER 32

/* The form of ECMAScript from its digits: the value is 0.DIGITS * 10^point. Answers the bytes written. */
static size_t put_digits(char *out, const char *digits, size_t n, int point)
{
    char *p = out;
    int count = (int)n;
    if (count <= point && point <= 21) {
        memcpy(p, digits, n);
        memset(p + n, '0', (size_t)(point - count));
        return (size_t)point;
    }
    if (0 < point && point <= 21) {
        memcpy(p, digits, (size_t)point);
        p[point] = '.';
        memcpy(p + point + 1, digits + point, (size_t)(count - point));
        return n + 1;
    }
    if (-6 < point && point <= 0) {
        memcpy(p, "0.", 2);
        memset(p + 2, '0', (size_t)-point);
        memcpy(p + 2 - point, digits, n);
        return (size_t)(2 - point) + n;
    }
    *p++ = digits[0];
    if (n > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, n - 1);
        p += n - 1;
    }
    *p++ = 'e';
    int exponent = point - 1;
    *p++ = exponent < 0 ? '-' : '+';
    exponent = exponent < 0 ? -exponent : exponent;
    if (exponent >= 100) {
        *p++ = (char)('0' + exponent / 100);
    }
    if (exponent >= 10) {
        *p++ = (char)('0' + exponent / 10 % 10);
    }
    *p++ = (char)('0' + exponent % 10);
    return (size_t)(p - out);
}

/*= RFC 8785 3.2.2.3 "serialized according to Section 7.1.12.1 of ECMA-262" */
void iv_canonical_double(struct iv_buf *out, double d)
{
    char *p = iv_buf_reserve(out, LONGEST_NUMBER);
    if (p == NULL) {
        return;
    }
    if (d == 0) {
        *p = '0';
        iv_buf_wrote(out, 1);
        return;
    }
    size_t sign = d < 0 ? 1 : 0;
    *p = '-';
    char digits[32];
    int point = 0;
    size_t n = iv_shortest_digits(digits, &point, fabs(d));
    iv_buf_wrote(out, sign + put_digits(p + sign, digits, n, point));
}

static iv_rc refuse(struct iv_canonical *c, uint32_t node, const char *fault, struct iv_err *err)
{
    c->fault = (struct iv_fault){node, fault};
    return iv_err_set(err, IV_E_SYNTAX, "has no canonical form: a member %s", fault);
}

static iv_rc write_number(struct iv_buf *out, const struct iv_node *node, uint32_t index,
                          struct iv_canonical *c, struct iv_err *err)
{
    bool exact = node->kind == IV_NODE_INT && node->i >= -EXACT_INTEGER && node->i <= EXACT_INTEGER;
    if (exact && node->i != 0) {
        iv_buf_str(out, iv_node_text(node)); /* JSON allows an integer one way to be written, but for -0 */
        return IV_OK;
    }
    if (!exact && node->kind != IV_NODE_DOUBLE && c->strict_integers) {
        return refuse(c, index, "is an integer beyond 2^53", err);
    }
    double d = node->kind == IV_NODE_INT ? (double)node->i : node->d;
    if (!isfinite(d)) {
        return refuse(c, index, "is a number beyond every double", err);
    }
    iv_canonical_double(out, d);
    return IV_OK;
}

/* The string in quotes, between two characters where they are not NUL: a name comes with its comma and its
 * colon. */
static inline void write_string(struct iv_buf *out, const struct iv_node *node, char before, char behind)
{
    if (!node->plain) {
        iv_buf_add(out, &before, before != '\0' ? 1 : 0);
        iv_json_string(out, iv_node_text(node));
        iv_buf_add(out, &behind, behind != '\0' ? 1 : 0);
        return;
    }
    char *p = iv_buf_reserve(out, (size_t)node->n + 4);
    if (p == NULL) {
        return;
    }
    char *start = p;
    *p = before;
    p += before != '\0' ? 1 : 0;
    *p++ = '"';
    memcpy(p, node->p, node->n);
    p += node->n;
    *p++ = '"';
    *p = behind;
    p += behind != '\0' ? 1 : 0;
    iv_buf_wrote(out, (size_t)(p - start));
}

static iv_rc write_list(struct iv_buf *out, struct iv_decoder *decoder, uint32_t list, struct iv_canonical *c,
                        struct iv_err *err)
{
    iv_buf_char(out, '[');
    uint32_t item = list + 1;
    for (uint32_t i = 0; i < decoder->tape.nodes[list].n; i++) {
        if (i > 0) {
            iv_buf_char(out, ',');
        }
        TRY(iv_canonical_write(out, decoder, item, c, err));
        item = iv_tape_next(&decoder->tape, item);
    }
    iv_buf_char(out, ']');
    return IV_OK;
}

static iv_rc write_members(struct iv_buf *out, struct iv_decoder *decoder, size_t from, size_t n,
                           struct iv_canonical *c, struct iv_err *err)
{
    const struct iv_tape *tape = &decoder->tape;
    struct iv_str omit = c->omit;
    c->omit = (struct iv_str){NULL, 0};
    char comma = '\0';
    for (size_t i = 0; i < n; i++) {
        const struct iv_sort_key *key = &decoder->keys[from + i]; /* writing a member may move the keys */
        if (i > 0 && iv_same_name(tape, key - 1, key)) {
            return refuse(c, key->node, "stands twice", err);
        }
        const struct iv_node *name = &tape->nodes[key->node];
        if (omit.p != NULL && iv_str_eq(iv_node_text(name), omit)) {
            continue;
        }
        write_string(out, name, comma, ':');
        comma = ',';
        if (name[1].kind == IV_NODE_STRING) {
            write_string(out, &name[1], '\0', '\0');
        } else {
            TRY(iv_canonical_write(out, decoder, key->node + 1, c, err));
        }
    }
    return IV_OK;
}

static iv_rc write_map(struct iv_buf *out, struct iv_decoder *decoder, uint32_t map, struct iv_canonical *c,
                       struct iv_err *err)
{
    size_t from = decoder->key_count;
    TRY(iv_members_push(decoder, map, err));
    iv_buf_char(out, '{');
    struct iv_rc_s rc = write_members(out, decoder, from, decoder->tape.nodes[map].n, c, err);
    iv_members_pop(decoder, map);
    iv_buf_char(out, '}');
    return rc;
}

/* Recursion is bounded: the tape is no deeper than the decoder's limit. */
iv_rc iv_canonical_write(struct iv_buf *out, struct iv_decoder *decoder, uint32_t index,
                         struct iv_canonical *c, struct iv_err *err)
{
    const struct iv_node *node = &decoder->tape.nodes[index];
    switch ((enum iv_node_kind)node->kind) {
    case IV_NODE_NULL:
        iv_buf_add(out, "null", 4);
        return IV_OK;
    case IV_NODE_BOOL:
        iv_buf_text(out, node->b ? "true" : "false");
        return IV_OK;
    case IV_NODE_INT:
    case IV_NODE_BIG:
    case IV_NODE_DOUBLE:
        return write_number(out, node, index, c, err);
    case IV_NODE_STRING:
        write_string(out, node, '\0', '\0');
        return IV_OK;
    case IV_NODE_LIST:
        return write_list(out, decoder, index, c, err);
    case IV_NODE_MAP:
        return write_map(out, decoder, index, c, err);
    }
    return IV_OK;
}
