/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"
#include "base/guard.h"
#include "event/decoder.h"

/* The attributes that the monitor knows, in the order in which they are checked. */
enum member {
    M_SPECVERSION,
    M_ID,
    M_SOURCE,
    M_TYPE,
    M_TIME,
    M_SUBJECT,
    M_TENANTID,
    M_TRACEPARENT,
    M_DATA_BASE64,
    M_DATA,
    M_LEDGERID,
    M_LEDGERSEQ,
    M_LEDGERPREV,
    M_LEDGERHASH,
    M_LEDGERALG,
    MEMBERS,
};

enum requirement { ALWAYS, ON_LEDGER, OPTIONAL };

static const struct {
    const char *name;
    enum requirement required;
} members[MEMBERS] = {
    [M_SPECVERSION] = {"specversion", ALWAYS},
    [M_ID] = {"id", ALWAYS},
    [M_SOURCE] = {"source", ALWAYS},
    [M_TYPE] = {"type", ALWAYS},
    [M_TIME] = {"time", ALWAYS},
    [M_SUBJECT] = {"subject", OPTIONAL},
    [M_TENANTID] = {"tenantid", OPTIONAL},
    [M_TRACEPARENT] = {"traceparent", OPTIONAL},
    [M_DATA_BASE64] = {"data_base64", OPTIONAL},
    [M_DATA] = {"data", OPTIONAL},
    [M_LEDGERID] = {"ledgerid", ON_LEDGER},
    [M_LEDGERSEQ] = {"ledgerseq", ON_LEDGER},
    [M_LEDGERPREV] = {"ledgerprev", ON_LEDGER},
    [M_LEDGERHASH] = {"ledgerhash", ON_LEDGER},
    [M_LEDGERALG] = {"ledgeralg", OPTIONAL},
};

/* Where each attribute's value stands on the tape; 0: it is not there, or null. */
struct envelope {
    uint32_t at[MEMBERS];
};

/* The one that the name stands for, MEMBERS if none: by its length, then by the whole. */
static inline enum member member_of(struct iv_str name)
{
#define IS(member, text) (memcmp(name.p, text, sizeof(text) - 1) == 0 ? (member) : MEMBERS)
    switch (name.n) {
    case 2:
        return IS(M_ID, "id");
    case 4:
        switch (name.p[1]) {
        case 'y':
            return IS(M_TYPE, "type");
        case 'i':
            return IS(M_TIME, "time");
        default:
            return IS(M_DATA, "data");
        }
    case 6:
        return IS(M_SOURCE, "source");
    case 7:
        return IS(M_SUBJECT, "subject");
    case 8:
        return name.p[0] == 't' ? IS(M_TENANTID, "tenantid") : IS(M_LEDGERID, "ledgerid");
    case 9:
        return name.p[6] == 's' ? IS(M_LEDGERSEQ, "ledgerseq") : IS(M_LEDGERALG, "ledgeralg");
    case 10:
        return name.p[6] == 'p' ? IS(M_LEDGERPREV, "ledgerprev") : IS(M_LEDGERHASH, "ledgerhash");
    case 11:
        switch (name.p[0]) {
        case 's':
            return IS(M_SPECVERSION, "specversion");
        case 't':
            return IS(M_TRACEPARENT, "traceparent");
        default:
            return IS(M_DATA_BASE64, "data_base64");
        }
    default:
        return MEMBERS;
    }
#undef IS
}

static iv_rc find_members(struct envelope *env, const struct iv_decoding *d)
{
    const struct iv_tape *tape = d->tape;
    uint32_t seen = 0;
    uint32_t name = 1;
    for (uint32_t i = 0; i < tape->nodes[0].n; i++) {
        enum member m = member_of(iv_node_text(&tape->nodes[name]));
        if (m != MEMBERS) {
            if ((seen >> m & 1) != 0) {
                return iv_malformed(d, name, "stands twice");
            }
            seen |= UINT32_C(1) << m;
            env->at[m] = tape->nodes[name + 1].kind == IV_NODE_NULL ? 0 : name + 1;
        }
        name = iv_tape_next(tape, name + 1);
    }
    return IV_OK;
}

static iv_rc require_members(const struct envelope *env, const struct iv_decoding *d, enum requirement which)
{
    for (size_t m = 0; m < MEMBERS; m++) {
        ENSURE(members[m].required != which || env->at[m] != 0, d->err, IV_E_MALFORMED,
               "%s: is required%s, and is not there", members[m].name,
               which == ON_LEDGER ? " on the ledger" : "");
    }
    return IV_OK;
}

/* A string attribute into its slot. */
static iv_rc take_text(struct iv_decoding *d, const struct envelope *env, enum member m, enum iv_attr attr)
{
    uint32_t at = env->at[m];
    if (at == 0) {
        return IV_OK;
    }
    const struct iv_node *node = &d->tape->nodes[at];
    if (node->kind != IV_NODE_STRING) {
        return iv_malformed(d, at, "is %s, must be a string", iv_node_kind_name(node->kind));
    }
    if (node->n > d->decoder->limits.identifier_bytes) {
        return iv_malformed(d, at, "has %u bytes, at most %zu are allowed", node->n,
                            d->decoder->limits.identifier_bytes);
    }
    if (node->n == 0 && (m == M_ID || m == M_SOURCE || m == M_TYPE)) {
        return iv_malformed(d, at, "is empty");
    }
    d->event->slots[attr] = iv_val_str(iv_node_text(node));
    return IV_OK;
}

static iv_rc check_version(const struct iv_decoding *d, const struct envelope *env)
{
    const struct iv_node *node = &d->tape->nodes[env->at[M_SPECVERSION]];
    if (node->kind != IV_NODE_STRING) {
        return iv_malformed(d, env->at[M_SPECVERSION], "is %s, must be the string \"1.0\"",
                            iv_node_kind_name(node->kind));
    }
    if (!iv_str_eq(iv_node_text(node), IV_STR("1.0"))) {
        return iv_malformed(d, env->at[M_SPECVERSION], "is \"%.*s\", must be \"1.0\"",
                            (int)(node->n < 32 ? node->n : 32), node->p);
    }
    return IV_OK;
}

static iv_rc take_time(struct iv_decoding *d, const struct envelope *env)
{
    uint32_t at = env->at[M_TIME];
    const struct iv_node *node = &d->tape->nodes[at];
    struct iv_instant t = {0};
    if (node->kind != IV_NODE_STRING) {
        return iv_malformed(d, at, "is %s, must be a string", iv_node_kind_name(node->kind));
    }
    if (!iv_instant_parse(&t, iv_node_text(node))) {
        return iv_malformed(d, at, "\"%.*s\" is no RFC 3339 time with at most 9 fractional digits",
                            (int)(node->n < 64 ? node->n : 64), node->p);
    }
    if (!iv_instant_to_ns(&d->event->time, t)) {
        return iv_malformed(d, at, "lies outside of the years 1678 to 2261");
    }
    d->event->slots[IV_ATTR_TIME] = iv_val_timestamp(t);
    return IV_OK;
}

static iv_rc take_chain(struct iv_decoding *d, const struct envelope *env)
{
    TRY(require_members(env, d, ON_LEDGER));
    TRY(take_text(d, env, M_LEDGERID, IV_ATTR_LEDGER_ID));
    TRY(take_text(d, env, M_LEDGERPREV, IV_ATTR_LEDGER_PREV));
    TRY(take_text(d, env, M_LEDGERHASH, IV_ATTR_LEDGER_HASH));
    uint32_t at = env->at[M_LEDGERSEQ];
    const struct iv_node *seq = &d->tape->nodes[at];
    if (seq->kind != IV_NODE_INT) {
        return iv_malformed(d, at, "is %s, must be an integer of 64 bits", iv_node_kind_name(seq->kind));
    }
    d->event->slots[IV_ATTR_LEDGER_SEQ] = iv_val_int(seq->i);
    d->event->digest_alg = IV_SHA384;
    if (env->at[M_LEDGERALG] != 0) {
        const struct iv_node *node = &d->tape->nodes[env->at[M_LEDGERALG]];
        enum iv_digest_alg alg = IV_SHA384;
        if (node->kind != IV_NODE_STRING) {
            return iv_malformed(d, env->at[M_LEDGERALG], "is %s, must be a string",
                                iv_node_kind_name(node->kind));
        }
        d->event->digest_alg = iv_digest_alg_of(&alg, iv_node_text(node)) ? (int8_t)alg : -1;
    }
    return IV_OK;
}

static iv_rc take_attributes(struct iv_decoding *d, const struct envelope *env)
{
    TRY(require_members(env, d, ALWAYS));
    TRY(check_version(d, env));
    TRY(take_text(d, env, M_ID, IV_ATTR_ID));
    TRY(take_text(d, env, M_SOURCE, IV_ATTR_SOURCE));
    TRY(take_text(d, env, M_TYPE, IV_ATTR_TYPE));
    TRY(take_time(d, env));
    TRY(take_text(d, env, M_SUBJECT, IV_ATTR_AGENT));
    TRY(take_text(d, env, M_TENANTID, IV_ATTR_TENANT));
    TRY(take_text(d, env, M_TRACEPARENT, IV_ATTR_TRACE));
    if (env->at[M_DATA_BASE64] != 0) {
        return iv_malformed(d, env->at[M_DATA_BASE64], "is refused, data must be an object");
    }
    d->event->slots[IV_ATTR_TOPIC] = iv_val_str(iv_str_of(iv_stream_name(d->record->origin.stream)));
    return IV_OK;
}

static iv_rc resolve_type(struct iv_decoding *d)
{
    struct iv_event *e = d->event;
    struct iv_str name = iv_val_slice(e->slots[IV_ATTR_TYPE]);
    const struct iv_event_type *type = iv_catalogue_find(d->decoder->catalogue, name);
    e->type = type == NULL ? iv_catalogue_unknown(d->decoder->catalogue) : type;
    ENSURE(type == NULL || type->stream == d->record->origin.stream, d->err, IV_E_MALFORMED,
           "type: '" IV_STR_FMT "' is carried by the stream %s, not by %s", IV_STR_ARG(name),
           iv_stream_name(type->stream), iv_stream_name(d->record->origin.stream));
    return IV_OK;
}

/* The chain comes last: of a type that strayed to the ledger, the stream is the better
 * reason than the chain. */
iv_rc iv_envelope_read(struct iv_decoding *d)
{
    struct envelope env = {{0}};
    TRY(find_members(&env, d));
    TRY(take_attributes(d, &env));
    TRY(resolve_type(d));
    d->data = env.at[M_DATA];
    return d->record->origin.stream == IV_LEDGER ? take_chain(d, &env) : IV_OK;
}
