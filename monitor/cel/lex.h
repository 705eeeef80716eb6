/* SPDX-License-Identifier: Apache-2.0 */
/* From source text to tokens, and from a literal's token to its value.
 * Source: CEL language definition, "Syntax", the lexis. */
#pragma once

#include "cel/ast.h"

enum iv_cel_token_kind {
    IV_CEL_T_END,
    IV_CEL_T_IDENT,
    IV_CEL_T_QUOTED, /* `content-type` */
    IV_CEL_T_INT,
    IV_CEL_T_UINT,
    IV_CEL_T_DOUBLE,
    IV_CEL_T_STRING,
    IV_CEL_T_BYTES,
    IV_CEL_T_OP,  /* op holds its characters */
    IV_CEL_T_BAD, /* a diagnosis was made */
};

struct iv_cel_token {
    enum iv_cel_token_kind kind;
    uint32_t offset;
    uint32_t length;
    uint16_t op; /* the character, or two: IV_CEL_OP2('&', '&') */
};

#define IV_CEL_OP2(a, b) ((uint16_t)((unsigned char)(a) << 8 | (unsigned char)(b)))

struct iv_cel_lexer {
    struct iv_cel_compilation *c;
    uint32_t at;
};

struct iv_cel_token iv_cel_lex(struct iv_cel_lexer *lexer);

static inline struct iv_str iv_cel_token_text(const struct iv_cel_compilation *c, struct iv_cel_token token)
{
    return (struct iv_str){c->source.p + token.offset, token.length};
}

/* False, with a diagnosis, where the literal is out of range or has a wrong escape. */
bool iv_cel_literal_number(struct iv_val *out, struct iv_cel_compilation *c, struct iv_cel_token token,
                           bool negative);
bool iv_cel_literal_text(struct iv_val *out, struct iv_cel_compilation *c, struct iv_cel_token token);
