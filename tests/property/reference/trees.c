/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint's log, entry by entry, and its tree by RFC 6962's definition. */
#include "reference_internal.h"

#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "event/checkpoint.h"

struct leaf {
    unsigned char bytes[48];
    size_t n;
    iv_ns time;
};

static bool read_hash(struct leaf *out, struct iv_str hex)
{
    out->n = hex.n / 2;
    return (out->n == 32 || out->n == 48) && iv_hex_decode(out->bytes, out->n, hex);
}

static int64_t place_of(const struct iv_event *e)
{
    return e->slots[IV_ATTR_LEDGER_SEQ].i;
}

static bool claims(const struct iv_event *e, struct iv_str log, int64_t seq, const struct leaf *hash)
{
    struct leaf own;
    return e->origin.stream == IV_LEDGER && place_of(e) == seq &&
           iv_str_eq(iv_event_attr(e, IV_ATTR_LEDGER_ID), log) &&
           read_hash(&own, iv_event_attr(e, IV_ATTR_LEDGER_HASH)) && own.n == hash->n &&
           memcmp(own.bytes, hash->bytes, own.n) == 0;
}

/* Of those that claim the place with this hash the earliest; NULL where there is none, or where several
 * earliest name different predecessors. */
static const struct iv_event *entry_at(const struct reference *r, struct iv_str log, int64_t seq,
                                       const struct leaf *hash)
{
    const struct iv_event *first = NULL;
    bool disputed = false;
    for (size_t i = 0; i < r->event_count; i++) {
        const struct iv_event *e = r->events[i];
        if (!claims(e, log, seq, hash) || (first != NULL && e->time > first->time)) {
            continue;
        }
        bool other =
            first != NULL && e->time == first->time &&
            !iv_str_eq(iv_event_attr(e, IV_ATTR_LEDGER_PREV), iv_event_attr(first, IV_ATTR_LEDGER_PREV));
        disputed = (disputed && first != NULL && e->time == first->time) || other;
        first = e;
    }
    return disputed && seq > 0 ? NULL : first;
}

/* The entries before the trigger; false where they are not there down to the first. */
static bool follow(const struct reference *r, const struct iv_event *t, iv_ns from, struct leaf *leaves)
{
    struct iv_str log = iv_event_attr(t, IV_ATTR_LEDGER_ID);
    const struct iv_event *last = t;
    for (int64_t seq = place_of(t) - 1; seq >= 0; seq--) {
        const struct iv_event *e = NULL;
        if (read_hash(&leaves[seq], iv_event_attr(last, IV_ATTR_LEDGER_PREV))) {
            e = entry_at(r, log, seq, &leaves[seq]);
        }
        iv_ns apart = e == NULL ? 0 : last->time > e->time ? last->time - e->time : e->time - last->time;
        if (e == NULL || e->time > t->time || (last == t ? e->time < from : apart > t->time - from)) {
            return false;
        }
        leaves[seq].time = e->time;
        last = e;
    }
    return true;
}

/*= RFC 6962 2.1 "MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))" */
static void tree_of(struct iv_merkle_hash *out, struct iv_digester *d, const struct leaf *leaves,
                    size_t count)
{
    struct iv_merkle_hash left;
    struct iv_merkle_hash right;
    if (count == 0) {
        iv_merkle_empty(out, d);
    } else if (count == 1) {
        iv_merkle_leaf(out, d, (struct iv_str){(const char *)leaves->bytes, leaves->n});
    } else {
        size_t k = 1;
        while (2 * k < count) {
            k *= 2;
        }
        tree_of(&left, d, leaves, k);
        tree_of(&right, d, leaves + k, count - k);
        iv_merkle_node(out, d, &left, &right);
    }
}

static enum reference_tree judge(const struct reference *r, struct iv_digester *d, const struct iv_event *t,
                                 const struct iv_checkpoint *checkpoint, iv_ns from)
{
    struct iv_merkle_hash root;
    int64_t place = place_of(t);
    if (place < 0 || checkpoint->size > (uint64_t)place) {
        return REFERENCE_TREE_FALSE;
    }
    struct leaf *leaves = iv_calloc((size_t)place + 1, sizeof *leaves);
    IV_CHECK(leaves != NULL);
    enum reference_tree found = REFERENCE_TREE_KEPT;
    if (checkpoint->size > 0 && !follow(r, t, from, leaves)) {
        found = REFERENCE_TREE_MISSING;
    } else if (checkpoint->size > 0 && leaves[checkpoint->size - 1].time < from) {
        found = REFERENCE_TREE_FORGOTTEN;
    } else {
        tree_of(&root, d, leaves, checkpoint->size);
        bool same = memcmp(&root, &checkpoint->root, sizeof root) == 0;
        found = same ? found : checkpoint->size == 0 ? REFERENCE_TREE_FALSE : REFERENCE_TREE_OTHER;
    }
    iv_free(leaves);
    return found;
}

enum reference_tree reference_tree(struct reference *r, const struct iv_rule *rule, const struct iv_event *t,
                                   iv_ns from)
{
    struct iv_str bytes;
    struct iv_note note;
    struct iv_checkpoint checkpoint;
    struct iv_digester *d = NULL;
    struct iv_err err;
    if (!reference_text(r, (struct pair){t, NULL}, rule->tree.note, &bytes)) {
        return REFERENCE_TREE_ABSENT;
    }
    IV_CHECK(iv_ok(iv_digester_new(&d, &err)));
    bool good = iv_ok(iv_note_parse(&note, bytes, &err)) &&
                iv_note_verify(&note, r->baseline->keyring, rule->tree.role, iv_instant_of_ns(t->time), d) &&
                iv_ok(iv_checkpoint_parse(&checkpoint, note.text, &err));
    enum reference_tree found = good ? judge(r, d, t, &checkpoint, from) : REFERENCE_TREE_FALSE;
    iv_digester_free(d);
    return found;
}
