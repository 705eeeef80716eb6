/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a regular expression, between parser and automaton. */
#pragma once

#include "cel/regex.h"

#include <stdint.h>

enum iv_regex_kind {
    IV_REGEX_EMPTY,
    IV_REGEX_SET,    /* one character of the ranges */
    IV_REGEX_CAT,    /* left, then right */
    IV_REGEX_ALT,    /* left or right */
    IV_REGEX_REPEAT, /* left, least to most times; most -1: without end */
    IV_REGEX_ASSERT,
};

enum iv_regex_assert {
    IV_REGEX_TEXT_START,
    IV_REGEX_TEXT_END,
    IV_REGEX_LINE_START,
    IV_REGEX_LINE_END,
    IV_REGEX_WORD_EDGE,
    IV_REGEX_NO_WORD_EDGE,
};

struct iv_regex_range {
    uint32_t low;
    uint32_t high;
};

struct iv_regex_set {
    const struct iv_regex_range *ranges;
    uint32_t count;
    bool negated;
};

struct iv_regex_node {
    enum iv_regex_kind kind;
    enum iv_regex_assert assert;
    struct iv_regex_set set;
    int least;
    int most;
    uint32_t size; /* instructions that it takes */
    const struct iv_regex_node *left;
    const struct iv_regex_node *right;
};

#define IV_REGEX_SIZE_MAX 10000u

iv_rc iv_regex_parse(const struct iv_regex_node **out, struct iv_str pattern, struct iv_arena *arena,
                     struct iv_err *err);
