/* SPDX-License-Identifier: Apache-2.0 */
/* A rule as the engine sees it: parsed, checked, compiled, frozen.
 * Owner/thread: owned by its baseline, immutable, shared.
 * Source: contract "Rules", form and fine points. */
#pragma once

#include "base/str.h"
#include "base/time.h"
#include "baseline/problems.h"
#include "cel/cel.h"
#include "event/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

/* Where programs find their variables: frame->bank[IV_BANK_EVENTS][IV_SLOT_TRIGGER] and so on. */
enum { IV_BANK_EVENTS, IV_BANK_PARAMETERS };
enum { IV_SLOT_TRIGGER, IV_SLOT_PARTNER, IV_EVENT_SLOTS };

enum iv_severity { IV_SEV_INFO, IV_SEV_LOW, IV_SEV_MEDIUM, IV_SEV_HIGH, IV_SEV_CRITICAL };
enum iv_form { IV_FORBID, IV_REQUIRE, IV_LIMIT, IV_SAME };
/* CANARY: what the monitor plants itself, to see that it is found. Such a rule is triggered by IV_CANARY_TYPE
 * alone, so that nothing else can pass for one; its verdicts are measured, and are no findings. */
enum iv_mode { IV_MODE_ENFORCE, IV_MODE_OBSERVE, IV_MODE_CANARY };
#define IV_CANARY_TYPE "invigil.canary"

/* Which events: by type, and where the rule says "stream: ledger" by stream (then events of unknown types
 * too). */
struct iv_selector {
    /* bitmap by type index, iv_catalogue_types() + 1 bits: the last is the unknown type */
    const uint64_t *types;
    bool streams[IV_STREAMS]; /* the streams that can carry such an event */
};

static inline bool iv_selector_has(const struct iv_selector *s, const struct iv_event_type *type)
{
    return (s->types[type->index / 64] >> (type->index % 64) & 1) != 0;
}

/* One value of an event: a field by its name id, or a program over that side. */
struct iv_term {
    const struct iv_cel_prog *prog; /* NULL: the field named below */
    uint16_t name_id;
};

/* A key, a value, "of", "distinct": one term or several. count 0: none was given. */
struct iv_terms {
    const struct iv_term *terms;
    uint8_t count;
};

/* A duration, a count or a maximum: a constant, or a program over the trigger
 * and the baseline's parameters. */
struct iv_amount {
    const struct iv_cel_prog *prog; /* NULL: constant */
    bool is_double;                 /* of the constant */
    int64_t i;                      /* nanoseconds, or a number */
    double d;
};

enum iv_window_kind { IV_WINDOW_BEFORE, IV_WINDOW_AFTER, IV_WINDOW_WITHIN, IV_WINDOW_UNTIL };

struct iv_window {
    enum iv_window_kind kind;
    struct iv_amount length;         /* BEFORE, AFTER, WITHIN */
    const struct iv_cel_prog *until; /* UNTIL: a timestamp over the trigger and the parameters */
    iv_ns past_max_ns;   /* how far behind its trigger a partner can lie under any override; 0 for AFTER and
                            UNTIL */
    iv_ns future_max_ns; /* AFTER and WITHIN: how far ahead under any override; 0 where the trigger has a
                            say, or it cannot be told */
};

struct iv_partner {
    struct iv_selector select;
    struct iv_terms key_on;   /* over the trigger; as many terms as key_with */
    struct iv_terms key_with; /* over the partner; count 0: no "by", every partner is concerned */
    struct iv_window window;
};

/* What the partners of a require must make: the tree that a checkpoint signs. */
struct iv_tree {
    const struct iv_cel_prog
        *note;          /* NULL: nothing of the kind. A text over the trigger and the parameters */
    struct iv_str role; /* of the key that signs; p NULL: any */
};

struct iv_read;

enum iv_limit_kind { IV_LIMIT_COUNT, IV_LIMIT_SUM, IV_LIMIT_DISTINCT };

struct iv_rule {
    struct iv_str id;
    struct iv_str title;
    struct iv_str description;
    struct iv_str pack;        /* metadata.name of its pack */
    struct iv_str source_text; /* the rule's YAML, for people */
    enum iv_severity severity;
    enum iv_mode mode;
    const struct iv_str *criteria;
    size_t criteria_count;
    struct iv_str remediate; /* a playbook's name; p NULL: none */
    struct iv_position at;
    uint16_t index; /* in the baseline */
    enum iv_form form;
    struct iv_selector on;
    const struct iv_cel_prog *where; /* NULL: every event selected */
    /* FORBID, REQUIRE */
    bool has_partner; /* FORBID may do without */
    struct iv_partner with;
    const struct iv_cel_prog *condition; /* NULL: always */
    struct iv_amount at_least;
    struct iv_terms distinct; /* over the partner */
    struct iv_tree tree;      /* REQUIRE; instead of condition, at_least and distinct */
    /* LIMIT, SAME */
    struct iv_terms by;
    struct iv_amount span; /* LIMIT: window; SAME: within. Depends on the baseline alone */
    iv_ns span_max_ns;     /* under any override */
    enum iv_limit_kind limit;
    struct iv_terms of; /* SUM, DISTINCT; SAME: value */
    struct iv_amount max;
    /* Name ids that the rule's programs and terms read of a trigger or of a partner: what must be kept.
     * Bitmaps by name id. all_*: a program may read the whole event (hash_valid, a comparison of events). */
    const uint64_t *trigger_fields;
    const uint64_t *partner_fields;
    bool all_trigger_fields;
    bool all_partner_fields;
    const struct iv_read *reads; /* the names that its form reads (reads.h) */
    size_t read_count;
    bool checks_chain;        /* a program calls hash_valid: event->hash_valid must be known before it runs */
    bool checks_signature;    /* a program calls receipt_valid, which costs as much as some twenty events */
    bool global;              /* events of several tenants may meet in it */
    struct iv_str scope;      /* why it is global, or why it is not; for people */
    unsigned char digest[48]; /* of the rule and of all that its meaning rests on: same digest, same state */
};

/* The streams that can carry its triggers or partners, a bit 1 << enum iv_stream each. */
static inline unsigned iv_rule_streams(const struct iv_rule *rule)
{
    unsigned streams = 0;
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        bool needs = rule->on.streams[s] || (rule->has_partner && rule->with.select.streams[s]);
        streams |= needs ? 1U << s : 0;
    }
    return streams;
}
