/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/bundle_check.h"

#include "base/guard.h"
#include "event/catalogue.h"
#include "event/checkpoint.h"
#include "event/decode.h"
#include "event/keyring.h"
#include "evidence/told_internal.h"

#define LINE_LIMITS ((struct iv_decode_limits){IV_BUNDLE_MAX_BYTES, 8, 4096, IV_BUNDLE_MAX_BYTES})
#define LOG_ROLE IV_STR("log")

struct checking {
    const struct iv_bundle_trust *trust;
    iv_bundle_visit visit;
    void *ctx;
    struct iv_bundle_facts facts;
    struct iv_digester *digester;
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_arena arena; /* of one line */
    struct iv_arena kept;  /* of the head */
    struct iv_buf again;   /* the line, written anew */
    struct iv_str bytes;
    size_t at;             /* where the next line begins */
    struct iv_str line;    /* with its newline */
    struct iv_str origin;  /* what the log calls itself; p NULL: its checkpoint is not there to say */
    struct iv_merkle tree; /* of the entries from the first on */
    uint64_t single;       /* least place that the next single leaf may have */
    iv_ns time;            /* of the last entry */
};

static void checking_deinit(struct checking *c)
{
    iv_decoder_free(c->decoder);
    iv_catalogue_free(c->catalogue);
    iv_digester_free(c->digester);
    iv_arena_deinit(&c->arena);
    iv_arena_deinit(&c->kept);
    iv_buf_deinit(&c->again);
}

static iv_rc checking_init(struct checking *c, struct iv_err *err)
{
    iv_arena_init(&c->arena, 0);
    iv_arena_init(&c->kept, 0);
    iv_buf_init(&c->again, IV_BUNDLE_MAX_BYTES);
    c->time = IV_NS_MIN;
    TRY(iv_digester_new(&c->digester, err));
    TRY(iv_catalogue_new(&c->catalogue, err));
    TRY(iv_catalogue_freeze(c->catalogue, err));
    return iv_decoder_new(&c->decoder, c->catalogue, &LINE_LIMITS, (struct iv_hash_key){0, 0}, err);
}

/* In front of what is wrong: where. A failure of ours stays as it is. */
static iv_rc at_line(const struct checking *c, struct iv_rc_s rc, struct iv_err *err)
{
    if (rc.code == IV_E_MALFORMED || rc.code == IV_E_SYNTAX) {
        iv_err_wrap(err, "line %llu", (unsigned long long)c->facts.lines);
        return (struct iv_rc_s){IV_E_MALFORMED};
    }
    return rc;
}

static iv_rc next_line(struct checking *c, struct iv_val *out, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_str rest = {c->bytes.p + c->at, c->bytes.n - c->at};
    const char *end = rest.n == 0 ? NULL : memchr(rest.p, '\n', rest.n);
    c->facts.lines++;
    ENSURE(end != NULL, err, IV_E_MALFORMED, "the bundle is cut off here");
    c->line = (struct iv_str){rest.p, (size_t)(end - rest.p) + 1};
    c->at += c->line.n;
    iv_buf_clear(&c->again);
    return iv_told_parse(out, c->decoder, arena, (struct iv_str){rest.p, c->line.n - 1}, err);
}

/* That it was written so, and not only means so. */
static iv_rc same_bytes(const struct checking *c, struct iv_err *err)
{
    TRY(iv_buf_check(&c->again, "a line of the bundle", err));
    ENSURE(iv_str_eq(iv_buf_slice(&c->again), c->line), err, IV_E_MALFORMED,
           "it has been changed: what it says is written otherwise");
    return IV_OK;
}

/* The checkpoint is of this log at this size. */
static iv_rc check_note(struct iv_note *note, struct iv_checkpoint *checkpoint, struct iv_str bytes,
                        const char *name, struct iv_err *err)
{
    struct iv_rc_s rc = iv_note_parse(note, bytes, err);
    rc = iv_ok(rc) ? iv_checkpoint_parse(checkpoint, note->text, err) : rc;
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "%s", name);
    }
    return rc;
}

static iv_rc check_signature(struct checking *c, const struct iv_note *note, struct iv_str origin,
                             struct iv_err *err)
{
    struct iv_keyring *ring = NULL;
    if (c->trust->key.p == NULL) {
        return IV_OK;
    }
    const struct iv_key key = {.id = origin, .role = LOG_ROLE, .public_key = c->trust->key};
    TRY(iv_keyring_new(&ring, err));
    struct iv_rc_s rc = iv_keyring_add(ring, &key, err);
    if (iv_ok(rc)) {
        c->facts.is_signed = iv_note_verify(note, ring, LOG_ROLE, (struct iv_instant){0, 0}, c->digester);
    }
    iv_keyring_free(ring);
    TRY(rc);
    ENSURE(c->facts.is_signed, err, IV_E_MALFORMED, "checkpoint: is not signed by this key");
    return IV_OK;
}

static iv_rc check_checkpoint(struct checking *c, struct iv_err *err)
{
    struct iv_note note;
    struct iv_checkpoint checkpoint;
    const struct iv_bundle_head *head = &c->facts.head;
    if (head->checkpoint.p == NULL) {
        ENSURE(c->trust->key.p == NULL, err, IV_E_MALFORMED,
               "checkpoint: there is none, so none by this key");
        return IV_OK;
    }
    TRY(check_note(&note, &checkpoint, head->checkpoint, "checkpoint", err));
    ENSURE(checkpoint.size == head->size && memcmp(&checkpoint.root, &head->root, sizeof head->root) == 0,
           err, IV_E_MALFORMED, "checkpoint: is of another log than the head says");
    c->origin = checkpoint.origin;
    return check_signature(c, &note, checkpoint.origin, err);
}

static iv_rc check_since(struct checking *c, struct iv_err *err)
{
    struct iv_note note;
    struct iv_checkpoint since;
    const struct iv_bundle_head *head = &c->facts.head;
    if (head->since.p != NULL) {
        TRY(check_note(&note, &since, head->since, "since", err));
        ENSURE(c->origin.p == NULL || iv_str_eq(since.origin, c->origin), err, IV_E_MALFORMED,
               "since: is a checkpoint of another log");
        ENSURE(iv_merkle_growth_proven(c->digester, &head->growth, since.size, &since.root, head->size,
                                       &head->root),
               err, IV_E_MALFORMED, "growth: does not prove that the log continues that checkpoint");
    }
    if (c->trust->since.p != NULL) {
        ENSURE(head->since.p != NULL, err, IV_E_REFUSED,
               "the bundle proves nothing about an older checkpoint; it must be exported with --since");
        ENSURE(iv_str_eq(head->since, c->trust->since), err, IV_E_MALFORMED,
               "since: is another checkpoint than the one that was given");
        c->facts.continues = true;
    }
    return IV_OK;
}

static iv_rc check_head(struct checking *c, struct iv_err *err)
{
    static const struct iv_str beginning = IV_STR_INIT("{\"bundle\":\"");
    struct iv_val line;
    ENSURE(c->bytes.n > beginning.n && memcmp(c->bytes.p, beginning.p, beginning.n) == 0, err, IV_E_REFUSED,
           "it is no evidence bundle");
    TRY(next_line(c, &line, &c->kept, err));
    TRY(iv_bundle_read_head(&c->facts.head, &line, err));
    iv_bundle_write_head(&c->again, &c->facts.head);
    TRY(same_bytes(c, err));
    c->tree = c->facts.head.before;
    TRY(check_checkpoint(c, err));
    return check_since(c, err);
}

static iv_rc check_document(struct checking *c, const struct iv_bundle_leaf *leaf,
                            const struct iv_merkle_hash *hash, struct iv_err *err)
{
    struct iv_digest digest;
    const struct iv_bundle_head *head = &c->facts.head;
    iv_digest(c->digester, &digest, IV_SHA256, leaf->document);
    ENSURE(memcmp(digest.bytes, leaf->entry.digest.bytes, digest.n) == 0, err, IV_E_MALFORMED,
           "document: is not what the entry's digest is of");
    ENSURE(iv_merkle_leaf_proven(c->digester, &leaf->proof, hash, leaf->leaf, head->size, &head->root), err,
           IV_E_MALFORMED, "proof: does not prove that the leaf is in the log");
    c->facts.documents[leaf->entry.kind]++;
    return c->visit == NULL ? IV_OK : c->visit(c->ctx, leaf, err);
}

/* Its place: one of the single ones, or the next of all. */
static iv_rc check_place(struct checking *c, const struct iv_bundle_leaf *leaf, struct iv_err *err)
{
    const struct iv_bundle_head *head = &c->facts.head;
    bool single = leaf->leaf < head->first && c->facts.entries == 0;
    ENSURE(single ? leaf->leaf >= c->single : leaf->leaf == c->tree.size, err, IV_E_MALFORMED,
           "leaf %llu is missing, or not in its place", (unsigned long long)c->tree.size);
    ENSURE(!single || leaf->document.p != NULL, err, IV_E_MALFORMED, "document: is absent");
    if (single) {
        c->single = leaf->leaf + 1;
        return IV_OK;
    }
    ENSURE(leaf->entry.time >= c->time, err, IV_E_MALFORMED, "time goes back in the log");
    c->time = leaf->entry.time;
    ENSURE(c->facts.entries > 0 || head->first == 0 || leaf->entry.time < head->from, err, IV_E_MALFORMED,
           "entries that were recorded in the period before leaf %llu are not shown",
           (unsigned long long)head->first);
    c->facts.entries++;
    bool wanted = iv_bundle_has(&leaf->entry, head->from, head->until);
    ENSURE(wanted == (leaf->document.p != NULL), err, IV_E_MALFORMED,
           wanted ? "document: is absent, and the entry is of the period" : "document: is not of the period");
    return IV_OK;
}

static iv_rc check_leaf(struct checking *c, const struct iv_val *line, struct iv_err *err)
{
    struct iv_bundle_leaf leaf;
    struct iv_merkle_hash hash;
    char room[1024];
    TRY(iv_bundle_read_leaf(&leaf, line, err));
    iv_bundle_write_leaf(&c->again, &leaf);
    TRY(same_bytes(c, err));
    TRY(check_place(c, &leaf, err));
    IV_AUTO(iv_buf_deinit) struct iv_buf entry;
    iv_buf_init_lent(&entry, room, sizeof room, IV_BUNDLE_MAX_BYTES);
    iv_leaf_write(&entry, &leaf.entry);
    TRY(iv_buf_check(&entry, "an entry", err));
    iv_merkle_leaf(&hash, c->digester, iv_buf_slice(&entry));
    if (leaf.leaf >= c->facts.head.first) {
        iv_merkle_append(&c->tree, c->digester, iv_buf_slice(&entry));
    }
    return leaf.document.p == NULL ? IV_OK : check_document(c, &leaf, &hash, err);
}

static iv_rc check_end(struct checking *c, const struct iv_val *line, struct iv_err *err)
{
    struct iv_bundle_end end;
    struct iv_digest digest;
    struct iv_merkle_hash root;
    TRY(iv_bundle_read_end(&end, line, err));
    iv_bundle_write_end(&c->again, &end);
    TRY(same_bytes(c, err));
    ENSURE(c->at == c->bytes.n, err, IV_E_MALFORMED, "there is more behind the bundle's end");
    iv_digest(c->digester, &digest, IV_SHA256, (struct iv_str){c->bytes.p, c->at - c->line.n});
    ENSURE(end.lines == c->facts.lines - 1 && memcmp(digest.bytes, end.digest.bytes, digest.n) == 0, err,
           IV_E_MALFORMED, "end: the lines before are others than were written");
    iv_merkle_root(&root, c->digester, &c->tree);
    ENSURE(c->tree.size == c->facts.head.size && memcmp(&root, &c->facts.head.root, sizeof root) == 0, err,
           IV_E_MALFORMED, "the entries do not make up the log that was signed");
    return IV_OK;
}

static iv_rc check_all(struct checking *c, struct iv_err *err)
{
    TRY(check_head(c, err));
    for (;;) {
        struct iv_val line;
        iv_arena_reset(&c->arena);
        TRY(next_line(c, &line, &c->arena, err));
        if (iv_told_at(&line, "end") != NULL) {
            return check_end(c, &line, err);
        }
        TRY(check_leaf(c, &line, err));
    }
}

iv_rc iv_bundle_check(struct iv_bundle_facts *out, struct iv_str bytes, const struct iv_bundle_trust *trust,
                      iv_bundle_visit visit, void *ctx, struct iv_err *err)
{
    IV_AUTO(checking_deinit) struct checking c = {.trust = trust, .visit = visit, .ctx = ctx, .bytes = bytes};
    TRY(checking_init(&c, err));
    TRY(at_line(&c, check_all(&c, err), err));
    *out = c.facts;
    /* Its texts were of this call. */
    out->head.program = out->head.checkpoint = out->head.since = (struct iv_str){NULL, 0};
    return IV_OK;
}
