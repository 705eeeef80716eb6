/* SPDX-License-Identifier: Apache-2.0 */
/* Text with references: "token {{trigger.token_id}} of {{trigger.tenant?}}".
 * Purpose: parse at load with the reference's place in the file; render when a finding is planned.
 * Owner/thread: a template lives in the arena that it was parsed into and is immutable.
 *
 * A reference is SCOPE.NAME, with a "?" behind it where it may be absent: then it is null, or nothing inside
 * of text:
 *
 *   trigger.FIELD                        an attribute or field of the event that was judged
 *   finding.uid, .time, .severity, .criteria
 *   rule.id, .title, .severity
 *   execution.key, .playbook
 *   step.key, .name */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/value.h"
#include "baseline/yaml.h"
#include "evidence/execution.h"

#include <stdbool.h>

enum iv_scope { IV_SCOPE_TRIGGER, IV_SCOPE_FINDING, IV_SCOPE_RULE, IV_SCOPE_EXECUTION, IV_SCOPE_STEP };

struct iv_reference {
    enum iv_scope scope;
    struct iv_str name;
    uint16_t name_id; /* TRIGGER */
    int known;        /* the others: index into their names */
    bool optional;
};

struct iv_template_part {
    bool is_reference;
    struct iv_str literal;
    struct iv_reference reference;
};

struct iv_template {
    const struct iv_template_part *parts;
    size_t count;
};

/* What references are checked against. */
struct iv_template_rules {
    const struct iv_catalogue *catalogue;
    const struct iv_rule *const
        *rules; /* those that name the playbook; none: any type of the catalogue will do */
    size_t count;
};

/* Mistakes go to problems, at their place inside the scalar; the template then is empty. IV_E_NOMEM. */
iv_rc iv_template_parse(struct iv_template *out, struct iv_arena *arena, const struct iv_yaml_node *scalar,
                        const struct iv_template_rules *rules, struct iv_problems *problems,
                        struct iv_err *err);

/* What references stand for. Any may be NULL where no template can reach it. */
struct iv_bindings {
    const struct iv_finding *finding;
    const struct iv_verdict *verdict;
    const struct iv_execution *execution;
    const struct iv_step *step;
};

enum iv_rendering {
    IV_RENDER_TEXT,     /* as it is */
    IV_RENDER_SEGMENTS, /* references within one segment of a path each */
    IV_RENDER_PATH,     /* references percent-encoded (RFC 3986 2.3: all but unreserved characters) */
};
/* Appends text. IV_E_ABSENT names the reference that has no value here, IV_E_RANGE one whose value would lead
 * elsewhere in a path: it is empty, ".", "..", or has a "/" or a NUL where that is more than one segment. */
iv_rc iv_template_text(struct iv_buf *out, const struct iv_template *t, enum iv_rendering rendering,
                       const struct iv_bindings *bindings, struct iv_err *err);
/* Appends a JSON value: of the reference's own type where the template is one reference and nothing else,
 * else a string. */
iv_rc iv_template_json(struct iv_buf *out, const struct iv_template *t, const struct iv_bindings *bindings,
                       struct iv_err *err);
