/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/merkle_proof.h"

#include <criterion/criterion.h>

#define LEAVES 70

/* Trees of every size up to LEAVES, with the nodes as a log keeps them: for each leaf the roots that end
 * there. */
struct grove {
    struct iv_digester *digester;
    struct iv_merkle_hash roots[LEAVES][8];
    struct iv_merkle_hash heads[LEAVES + 1];
};

static struct iv_rc_s node_of(void *ctx, struct iv_merkle_hash *out, unsigned level, uint64_t index,
                              struct iv_err *err)
{
    const struct grove *g = ctx;
    (void)err;
    *out = g->roots[((index + 1) << level) - 1][level];
    return IV_OK;
}

static void plant(struct grove *g)
{
    struct iv_merkle tree = {0};
    cr_assert(iv_ok(iv_digester_new(&g->digester, NULL)));
    iv_merkle_root(&g->heads[0], g->digester, &tree);
    for (uint32_t i = 0; i < LEAVES; i++) {
        struct iv_merkle_hash roots[IV_MERKLE_PEAKS];
        unsigned count =
            iv_merkle_grow(roots, &tree, g->digester, (struct iv_str){(const char *)&i, sizeof i});
        cr_assert_eq(count, 1 + (unsigned)__builtin_ctz(i + 1));
        memcpy(g->roots[i], roots, count * sizeof roots[0]);
        iv_merkle_root(&g->heads[i + 1], g->digester, &tree);
    }
}

Test(merkle_proof, a_tree_comes_back_from_its_nodes)
{
    static struct grove g;
    plant(&g);
    for (uint64_t size = 0; size <= LEAVES; size++) {
        struct iv_merkle tree;
        struct iv_merkle_hash root;

        cr_assert(iv_ok(iv_merkle_at(&tree, &(struct iv_merkle_nodes){node_of, &g}, size, NULL)));
        iv_merkle_root(&root, g.digester, &tree);

        cr_expect_arr_eq(root.bytes, g.heads[size].bytes, sizeof root.bytes, "size %d", (int)size);
    }
    iv_digester_free(g.digester);
}

Test(merkle_proof, every_leaf_of_every_tree_is_proven_and_no_other)
{
    static struct grove g;
    plant(&g);
    for (uint64_t size = 1; size <= LEAVES; size++) {
        for (uint64_t i = 0; i < size; i++) {
            struct iv_merkle_proof proof;
            cr_assert(iv_ok(iv_merkle_prove_leaf(&proof, g.digester, &(struct iv_merkle_nodes){node_of, &g},
                                                 i, size, NULL)));
            const struct iv_merkle_hash *leaf = &g.roots[i][0];
            const struct iv_merkle_hash *root = &g.heads[size];

            cr_expect(iv_merkle_leaf_proven(g.digester, &proof, leaf, i, size, root));
            cr_expect(!iv_merkle_leaf_proven(g.digester, &proof, leaf, i, size, &g.heads[size - 1]));
            cr_expect(!iv_merkle_leaf_proven(g.digester, &proof, leaf, size, size, root));
            cr_expect(i == 0 || !iv_merkle_leaf_proven(g.digester, &proof, leaf, i - 1, size, root));
            for (unsigned h = 0; h < proof.count; h++) {
                proof.hashes[h].bytes[h % IV_MERKLE_BYTES] ^= 1;
                cr_expect(!iv_merkle_leaf_proven(g.digester, &proof, leaf, i, size, root));
                proof.hashes[h].bytes[h % IV_MERKLE_BYTES] ^= 1;
            }
            proof.hashes[proof.count++] = g.heads[0];
            cr_expect(!iv_merkle_leaf_proven(g.digester, &proof, leaf, i, size, root), "a hash too many");
        }
    }
    iv_digester_free(g.digester);
}

Test(merkle_proof, every_tree_is_proven_to_begin_with_every_older_one)
{
    static struct grove g;
    plant(&g);
    for (uint64_t size = 0; size <= LEAVES; size++) {
        for (uint64_t older = 0; older <= size; older++) {
            struct iv_merkle_proof proof;
            cr_assert(iv_ok(iv_merkle_prove_growth(&proof, g.digester, &(struct iv_merkle_nodes){node_of, &g},
                                                   older, size, NULL)));
            const struct iv_merkle_hash *was = &g.heads[older];
            const struct iv_merkle_hash *root = &g.heads[size];

            cr_expect(iv_merkle_growth_proven(g.digester, &proof, older, was, size, root), "%d to %d",
                      (int)older, (int)size);
            struct iv_merkle_hash forged = *was;
            forged.bytes[0] ^= 1;
            cr_expect(!iv_merkle_growth_proven(g.digester, &proof, older, &forged, size, root));
            for (unsigned h = 0; h < proof.count; h++) {
                proof.hashes[h].bytes[h % IV_MERKLE_BYTES] ^= 1;
                cr_expect(!iv_merkle_growth_proven(g.digester, &proof, older, was, size, root));
                proof.hashes[h].bytes[h % IV_MERKLE_BYTES] ^= 1;
            }
        }
    }
    iv_digester_free(g.digester);
}
