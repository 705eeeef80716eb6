/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tree.h"

#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "engine/eval.h"
#include "engine/logs.h"
#include "engine/obligation.h"
#include "event/checkpoint.h"

#define LEDGER (1u << IV_LEDGER)
/* Judged in some microseconds each. */
#define LATER_MAX 256

static iv_ns passed(const struct iv_engine *e)
{
    return e->watermark.passed[LEDGER];
}

/* The bytes that the text stands for; n is 0 where it is the hex of no digest. */
static struct iv_str digest_bytes(unsigned char out[IV_DIGEST_MAX_BYTES], struct iv_str hex)
{
    size_t n = hex.n / 2;
    bool sized = n == 32 || n == IV_DIGEST_MAX_BYTES;
    return (struct iv_str){(const char *)out, sized && iv_hex_decode(out, n, hex) ? n : 0};
}

static struct iv_hash128 log_key(const struct iv_engine *e, const struct iv_event *event)
{
    return iv_hash128(e->options.hash_key, iv_event_attr(event, IV_ATTR_LEDGER_ID));
}

static struct iv_hash128 entry_key(const struct iv_engine *e, struct iv_hash128 id, uint64_t seq,
                                   struct iv_str hash)
{
    char text[sizeof id + sizeof seq + IV_DIGEST_MAX_BYTES] IV_UNSET;
    memcpy(text, &id, sizeof id);
    memcpy(text + sizeof id, &seq, sizeof seq);
    memcpy(text + sizeof id + sizeof seq, hash.p, hash.n);
    return iv_hash128(e->options.hash_key, (struct iv_str){text, sizeof id + sizeof seq + hash.n});
}

static struct iv_obligation *obligation_at(const struct iv_engine *e, uint32_t ref)
{
    return iv_slab_at(&e->obligations, ref);
}

void iv_tree_add_missing(struct iv_engine *e, uint32_t obligation)
{
    if (e->missing_count == e->missing_capacity) {
        uint32_t capacity = e->missing_capacity == 0 ? 64 : e->missing_capacity * 2;
        uint32_t *missing = iv_realloc(e->missing, capacity * sizeof *missing);
        if (missing == NULL) {
            e->spent = true;
            return;
        }
        e->missing = missing;
        e->missing_capacity = capacity;
    }
    obligation_at(e, obligation)->missing = e->missing_count;
    e->missing[e->missing_count++] = obligation;
}

void iv_tree_remove_missing(struct iv_engine *e, const struct iv_obligation *o)
{
    if (o->missing >= e->missing_count) {
        return; /* memory was out when it should have been put in */
    }
    uint32_t last = e->missing[--e->missing_count];
    e->missing[o->missing] = last;
    obligation_at(e, last)->missing = o->missing;
}

/* late: the entry that came, 0 where it is gone. all: now, however many they are. */
static void recheck(struct iv_engine *e, uint32_t late, bool all)
{
    struct iv_search s;
    for (uint32_t n = 0;
         (all || n < LATER_MAX) && e->recheck > 0 && !e->spent && iv_logs_settled(&e->logs, passed(e)); n++) {
        uint32_t i = --e->recheck;
        struct iv_obligation *o = i < e->missing_count ? obligation_at(e, e->missing[i]) : NULL;
        if (o == NULL || !iv_search_of(e, &s, &e->plan.rules[o->rule], o->rec, o->node)) {
            continue;
        }
        s.low = o->low;
        s.high = o->high;
        if (iv_tree_judge(e, &s) == IV_TREE_KEPT) {
            iv_obligation_contradict(e, o, late);
        }
    }
}

bool iv_tree_key(struct iv_engine *e, struct iv_event *event, struct iv_short_key *room, struct iv_str *out)
{
    if (!e->plan.has_trees || event->origin.stream != IV_LEDGER) {
        return false;
    }
    const struct iv_terms_plan *terms = &e->plan.terms[e->plan.tree_terms];
    const struct iv_pair pair = {terms->owner, event, event, 0};
    return iv_eval_key_bytes(e, &pair, terms->terms, terms->partner, room, out);
}

void iv_tree_foresee(struct iv_engine *e, struct iv_tree_claim *out, const struct iv_event *event)
{
    unsigned char last[IV_DIGEST_MAX_BYTES];
    out->stands = false;
    if (!e->plan.has_trees || event->origin.stream != IV_LEDGER) {
        return;
    }
    int64_t seq = event->slots[IV_ATTR_LEDGER_SEQ].i;
    struct iv_log_claim *claim = &out->claim;
    *claim =
        (struct iv_log_claim){.seq = (uint64_t)seq,
                              .time = event->time,
                              .hash = digest_bytes(out->hash, iv_event_attr(event, IV_ATTR_LEDGER_HASH))};
    if (seq < 0 || claim->hash.n == 0) {
        return; /* LED-001 speaks of it */
    }
    struct iv_hash128 log = log_key(e, event);
    claim->key = entry_key(e, log, claim->seq, claim->hash);
    if (seq > 0) {
        claim->names =
            entry_key(e, log, claim->seq - 1, digest_bytes(last, iv_event_attr(event, IV_ATTR_LEDGER_PREV)));
    }
    out->stands = true;
    iv_table_prefetch(&e->logs.table, claim->key.lo);
}

void iv_tree_note_entry(struct iv_engine *e, struct iv_event *event, const struct iv_tree_claim *claim,
                        uint32_t rec)
{
    struct iv_short_key room IV_UNSET;
    struct iv_str key;
    if (e->spent || !claim->stands || !iv_tree_key(e, event, &room, &key) ||
        !iv_share_has(e->options.share, key)) {
        return;
    }
    e->spent = !iv_logs_add(&e->logs, e->digester, &claim->claim);
    if (e->missing_count > 0 && event->time < passed(e) && !e->spent) {
        e->spent = !iv_logs_settle(&e->logs, e->digester, passed(e), false);
        e->recheck = e->missing_count;
        recheck(e, rec, false);
    }
}

static bool read_note(struct iv_engine *e, const struct iv_search *s, struct iv_val *value)
{
    struct iv_term term = {.prog = s->pair.rule->tree.note};
    return iv_eval_term(e, &s->pair, &term, false, value) && value->kind == IV_KIND_STRING;
}

/* What the note says; why it says nothing, where it is not NULL. */
static const char *open_note(struct iv_engine *e, const struct iv_search *s, struct iv_str bytes,
                             struct iv_checkpoint *out)
{
    struct iv_note note;
    struct iv_merkle_hash empty;
    if (!iv_ok(iv_note_parse(&note, bytes, NULL))) {
        return "the note is malformed";
    }
    if (!iv_note_verify(&note, e->baseline->keyring, s->pair.rule->tree.role,
                        iv_instant_of_ns(s->pair.on->time), e->digester)) {
        return "the note bears no valid signature of a key of the keyring";
    }
    if (!iv_ok(iv_checkpoint_parse(out, note.text, NULL))) {
        return "the note is no checkpoint";
    }
    int64_t seq = s->pair.on->slots[IV_ATTR_LEDGER_SEQ].i;
    if (seq < 0 || out->size > (uint64_t)seq) {
        return "the tree is larger than the log before the checkpoint";
    }
    iv_merkle_empty(&empty, e->digester);
    return out->size == 0 && memcmp(&out->root, &empty, sizeof empty) != 0
               ? "the root is not that of the empty tree"
               : NULL;
}

void iv_tree_trigger(struct iv_engine *e, const struct iv_search *s, const struct iv_waiting *at)
{
    struct iv_val value = {0};
    struct iv_checkpoint checkpoint;
    if (!read_note(e, s, &value)) {
        return;
    }
    const char *why = open_note(e, s, iv_val_slice(value), &checkpoint);
    if (why != NULL) {
        struct iv_ruling ruling = {.kind = IV_VIOLATED,
                                   .rule = s->pair.rule,
                                   .trigger = s->trigger,
                                   .deadline = s->high,
                                   .detail = why};
        iv_emit(e, &ruling, NULL);
    } else if (checkpoint.size == 0) {
        e->stats.kept++;
    } else {
        at->mark->bits |= UINT32_C(1) << at->bit;
        iv_obligation_arm(e, s, at, IV_WAIT_REQUIRED);
    }
}

bool iv_tree_ready(struct iv_engine *e, uint32_t obligation)
{
    if (iv_logs_settled(&e->logs, passed(e))) {
        return true;
    }
    if (e->later_count == e->later_capacity) {
        uint32_t capacity = e->later_capacity == 0 ? 64 : e->later_capacity * 2;
        uint32_t *later = iv_realloc(e->later, capacity * sizeof *later);
        if (later == NULL) {
            e->spent = true;
            return false;
        }
        e->later = later;
        e->later_capacity = capacity;
    }
    e->later[e->later_count++] = obligation;
    return false;
}

/* The last entry of the log as the trigger continues it; 0: it is not there down to the first, not by the
 * trigger's time, or not within the window. */
static uint32_t log_before(const struct iv_engine *e, const struct iv_search *s)
{
    const struct iv_event *on = s->pair.on;
    unsigned char last[IV_DIGEST_MAX_BYTES];
    struct iv_str hash = digest_bytes(last, iv_event_attr(on, IV_ATTR_LEDGER_PREV));
    uint64_t seq = (uint64_t)on->slots[IV_ATTR_LEDGER_SEQ].i - 1;
    uint32_t ref = iv_logs_find(&e->logs, entry_key(e, log_key(e, on), seq, hash));
    if (ref == 0) {
        return 0;
    }
    const struct iv_log_entry *entry = iv_log_entry_at(&e->logs, ref);
    bool known = entry->state == IV_LOG_CONNECTED && entry->time >= s->low && entry->tree.latest <= on->time;
    /* The window is the rule's own; the logs serve the longest of all rules. */
    return known && iv_ns_add(s->low, entry->tree.gap) <= on->time ? ref : 0;
}

enum iv_tree_finding iv_tree_judge(struct iv_engine *e, const struct iv_search *s)
{
    struct iv_val value = {0};
    struct iv_note note;
    struct iv_checkpoint checkpoint;
    struct iv_merkle_hash root;
    /* It was opened at the trigger's arrival, so that only memory can be wanting now. */
    if (!read_note(e, s, &value) || !iv_ok(iv_note_parse(&note, iv_val_slice(value), NULL)) ||
        !iv_ok(iv_checkpoint_parse(&checkpoint, note.text, NULL))) {
        e->spent = true;
        return IV_TREE_MISSING;
    }
    uint32_t last = log_before(e, s);
    if (last == 0) {
        return IV_TREE_MISSING;
    }
    uint32_t end = iv_logs_prefix(&e->logs, last, checkpoint.size);
    if (end == 0 || iv_log_entry_at(&e->logs, end)->time < s->low) {
        return IV_TREE_FORGOTTEN;
    }
    iv_logs_root(&root, &e->logs, e->digester, end);
    return memcmp(&root, &checkpoint.root, sizeof root) == 0 ? IV_TREE_KEPT : IV_TREE_OTHER;
}

void iv_tree_advance(struct iv_engine *e, bool all)
{
    if (!e->plan.has_trees || e->spent) {
        return;
    }
    e->spent = !iv_logs_settle(&e->logs, e->digester, passed(e), all);
    for (uint32_t i = 0;
         (all || i < LATER_MAX) && e->later_count > 0 && !e->spent && iv_logs_settled(&e->logs, passed(e));
         i++) {
        iv_obligation_due(e, e->later[--e->later_count]);
    }
    recheck(e, 0, all);
}

/* A trigger that the watermark has passed, and that could not be judged in this call, still needs what it
 * reaches back to. */
void iv_tree_sweep(struct iv_engine *e)
{
    const struct iv_timer *first = iv_timers_first(&e->timers[LEDGER]);
    bool pending = first != NULL && iv_watermark_passed(&e->watermark, LEDGER, first->deadline);
    if (e->plan.has_trees && !pending && e->later_count == 0 && iv_logs_settled(&e->logs, passed(e))) {
        iv_logs_sweep(&e->logs, passed(e));
    }
}
