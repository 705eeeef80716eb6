/* SPDX-License-Identifier: Apache-2.0 */
#include "base/merkle_proof.h"

#include "base/guard.h"

/* The largest power of two that is less than n, for n > 1. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* The tree of the leaves from `from` on, `count` of them; from is a multiple of a power of two that is not
 * less than count. */
static iv_rc subtree(struct iv_merkle *out, const struct iv_merkle_nodes *nodes, uint64_t from,
                     uint64_t count, struct iv_err *err)
{
    unsigned peaks = 0;
    out->size = count;
    for (unsigned level = 64; level-- > 0;) {
        if ((count >> level & 1) != 0) {
            TRY(nodes->node(nodes->ctx, &out->peaks[peaks++], level, from >> level, err));
            from += UINT64_C(1) << level;
        }
    }
    return IV_OK;
}

iv_rc iv_merkle_at(struct iv_merkle *out, const struct iv_merkle_nodes *nodes, uint64_t size,
                   struct iv_err *err)
{
    return subtree(out, nodes, 0, size, err);
}

static iv_rc push(struct iv_merkle_proof *out, struct iv_digester *d, const struct iv_merkle_nodes *nodes,
                  uint64_t from, uint64_t until, struct iv_err *err)
{
    struct iv_merkle tree IV_UNSET;
    TRY(subtree(&tree, nodes, from, until - from, err));
    iv_merkle_root(&out->hashes[out->count++], d, &tree);
    return IV_OK;
}

/* Both kinds are found from the root down. */
static void turn_over(struct iv_merkle_proof *p)
{
    for (unsigned i = 0; i < p->count / 2; i++) {
        struct iv_merkle_hash other = p->hashes[i];
        p->hashes[i] = p->hashes[p->count - 1 - i];
        p->hashes[p->count - 1 - i] = other;
    }
}

/*= RFC 9162 2.1.3.1 "PATH(m, D_n) = PATH(m, D[0:k]) : MTH(D[k:n]) for m < k" */
iv_rc iv_merkle_prove_leaf(struct iv_merkle_proof *out, struct iv_digester *d,
                           const struct iv_merkle_nodes *nodes, uint64_t index, uint64_t size,
                           struct iv_err *err)
{
    uint64_t from = 0;
    uint64_t until = size;
    IV_CHECK(index < size);
    out->count = 0;
    while (until - from > 1) {
        uint64_t middle = from + split(until - from);
        if (index < middle) {
            TRY(push(out, d, nodes, middle, until, err));
            until = middle;
        } else {
            TRY(push(out, d, nodes, from, middle, err));
            from = middle;
        }
    }
    turn_over(out);
    return IV_OK;
}

/*= RFC 9162 2.1.4.1 "SUBPROOF(m, D_n, b) = SUBPROOF(m, D[0:k], b) : MTH(D[k:n]) if m <= k" */
iv_rc iv_merkle_prove_growth(struct iv_merkle_proof *out, struct iv_digester *d,
                             const struct iv_merkle_nodes *nodes, uint64_t older, uint64_t size,
                             struct iv_err *err)
{
    uint64_t from = 0;
    uint64_t until = size;
    IV_CHECK(older <= size);
    out->count = 0;
    if (older == 0) {
        return IV_OK;
    }
    while (until > older) {
        uint64_t middle = from + split(until - from);
        if (older <= middle) {
            TRY(push(out, d, nodes, middle, until, err));
            until = middle;
        } else {
            TRY(push(out, d, nodes, from, middle, err));
            from = middle;
        }
    }
    if (from > 0) {
        TRY(push(out, d, nodes, from, until, err));
    }
    turn_over(out);
    return IV_OK;
}

static bool same(const struct iv_merkle_hash *a, const struct iv_merkle_hash *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/*= RFC 9162 2.1.3.2 "Verifying an Inclusion Proof" */
bool iv_merkle_leaf_proven(struct iv_digester *d, const struct iv_merkle_proof *proof,
                           const struct iv_merkle_hash *leaf, uint64_t index, uint64_t size,
                           const struct iv_merkle_hash *root)
{
    if (index >= size) {
        return false;
    }
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct iv_merkle_hash hash = *leaf;
    for (unsigned i = 0; i < proof->count; i++) {
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            iv_merkle_node(&hash, d, &proof->hashes[i], &hash);
            for (; (fn & 1) == 0 && fn != 0; fn >>= 1) {
                sn >>= 1;
            }
        } else {
            iv_merkle_node(&hash, d, &hash, &proof->hashes[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(&hash, root);
}

/*= RFC 9162 2.1.4.2 "Verifying Consistency between Two Tree Heads" */
static bool growth_proven(struct iv_digester *d, const struct iv_merkle_proof *proof, uint64_t older,
                          const struct iv_merkle_hash *older_root, uint64_t size,
                          const struct iv_merkle_hash *root)
{
    uint64_t fn = older - 1;
    uint64_t sn = size - 1;
    for (; (fn & 1) != 0; fn >>= 1) {
        sn >>= 1;
    }
    /* A perfect older tree is the proof's first node itself. */
    unsigned next = fn == 0 ? 0 : 1;
    if (proof->count < next) {
        return false;
    }
    struct iv_merkle_hash fr = fn == 0 ? *older_root : proof->hashes[0];
    struct iv_merkle_hash sr = fr;
    for (; next < proof->count; next++) {
        const struct iv_merkle_hash *c = &proof->hashes[next];
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            iv_merkle_node(&fr, d, c, &fr);
            iv_merkle_node(&sr, d, c, &sr);
            for (; (fn & 1) == 0 && fn != 0; fn >>= 1) {
                sn >>= 1;
            }
        } else {
            iv_merkle_node(&sr, d, &sr, c);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && same(&fr, older_root) && same(&sr, root);
}

bool iv_merkle_growth_proven(struct iv_digester *d, const struct iv_merkle_proof *proof, uint64_t older,
                             const struct iv_merkle_hash *older_root, uint64_t size,
                             const struct iv_merkle_hash *root)
{
    if (older == 0) {
        struct iv_merkle_hash empty;
        iv_merkle_empty(&empty, d);
        return proof->count == 0 && same(older_root, &empty) && (size > 0 || same(root, &empty));
    }
    if (older >= size) {
        return older == size && proof->count == 0 && same(older_root, root);
    }
    return growth_proven(d, proof, older, older_root, size, root);
}
