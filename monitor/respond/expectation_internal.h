/* SPDX-License-Identifier: Apache-2.0 */
/* An expectation, parsed. Shared by expectation.c, which makes it, and expectation_render.c. */
#pragma once

#include "cel/cel.h"
#include "respond/expectation.h"

enum { IV_EXPECT_EVENT_BANK, IV_EXPECT_NAME_BANK };
#define IV_EXPECT_WITHIN_MAX (24 * 3600 * IV_NS_PER_S)

enum iv_fixed { IV_FIXED_TARGET, IV_FIXED_FINDING, IV_FIXED_STEP, IV_FIXED_TRIGGER, IV_FIXED_BASELINE };
enum { IV_EXPECT_UID, IV_EXPECT_RULE, IV_EXPECT_SEVERITY, IV_EXPECT_TENANT, IV_EXPECT_AGENT, IV_EXPECT_TIME };

/* A name that an expression reads. */
struct iv_fixed_name {
    struct iv_str text;
    enum iv_fixed kind;
    uint16_t id; /* FINDING: as above; TRIGGER: the name id; BASELINE: the parameter's slot */
};

struct iv_fixed_text {
    struct iv_str source;
    const struct iv_fixed_name *names;
    size_t count;
};

struct iv_fixed_length {
    struct iv_fixed_text text; /* source.p NULL: a constant */
    iv_ns constant;
};

struct iv_expectation {
    bool unseen;
    bool complete; /* the stream is: what is not on it did not happen */
    enum iv_stream stream;
    struct iv_str event;
    struct iv_str alias;
    struct iv_fixed_text where;
    struct iv_fixed_length within;
    struct iv_fixed_length after;
    struct iv_fixed_length earlier;
    iv_ns settle; /* after the last event that counts has happened it may still come for so long */
};

/* Compiles an expression over names of which only the values count, and the event, unless its schema is NULL.
 * The environment outlives the program. */
iv_rc iv_expect_compile(struct iv_cel_env **env, struct iv_cel_prog **prog, struct iv_str source,
                        const struct iv_str *names, size_t count, struct iv_str alias,
                        const struct iv_cel_type *event, const struct iv_cel_type *expect,
                        struct iv_err *err);

/* What events of the type have, as an object; IV_E_NOMEM. */
iv_rc iv_expect_event_type(const struct iv_cel_type **out, struct iv_arena *arena,
                           const struct iv_event_type *type, struct iv_err *err);
