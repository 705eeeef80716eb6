/* SPDX-License-Identifier: Apache-2.0 */
#include "base/merkle.h"

#include "base/guard.h"

static void finish(struct iv_merkle_hash *out, struct iv_digester *d)
{
    struct iv_digest digest;
    iv_digest_end(d, &digest);
    memcpy(out->bytes, digest.bytes, sizeof out->bytes);
}

/*= RFC 6962 2.1 "the hash of an empty list is the hash of an empty string" */
void iv_merkle_empty(struct iv_merkle_hash *out, struct iv_digester *d)
{
    iv_digest_begin(d, IV_SHA256);
    finish(out, d);
}

/*= RFC 6962 2.1 "MTH({d(0)}) = SHA-256(0x00 || d(0))" */
void iv_merkle_leaf(struct iv_merkle_hash *out, struct iv_digester *d, struct iv_str data)
{
    char few[1 + IV_DIGEST_MAX_BYTES] = "\0";
    iv_digest_begin(d, IV_SHA256);
    if (data.n > 0 && data.n < sizeof few) {
        memcpy(few + 1, data.p, data.n);
        iv_digest_update(d, (struct iv_str){few, 1 + data.n});
    } else {
        iv_digest_update(d, (struct iv_str){"\0", 1});
        iv_digest_update(d, data);
    }
    finish(out, d);
}

/*= RFC 6962 2.1 "MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))" */
void iv_merkle_node(struct iv_merkle_hash *out, struct iv_digester *d, const struct iv_merkle_hash *left,
                    const struct iv_merkle_hash *right)
{
    char both[1 + 2 * IV_MERKLE_BYTES] = "\1";
    memcpy(both + 1, left->bytes, IV_MERKLE_BYTES);
    memcpy(both + 1 + IV_MERKLE_BYTES, right->bytes, IV_MERKLE_BYTES);
    iv_digest_begin(d, IV_SHA256);
    iv_digest_update(d, (struct iv_str){both, sizeof both});
    finish(out, d);
}

static unsigned peaks(const struct iv_merkle *tree)
{
    return (unsigned)__builtin_popcountll(tree->size);
}

unsigned iv_merkle_grow(struct iv_merkle_hash roots[IV_MERKLE_PEAKS], struct iv_merkle *tree,
                        struct iv_digester *d, struct iv_str data)
{
    unsigned count = peaks(tree);
    unsigned grown = 0;
    IV_CHECK(tree->size < UINT64_MAX);
    iv_merkle_leaf(&roots[0], d, data);
    /* Each set bit at the end of the size is a perfect tree as large as what has grown so far. */
    for (uint64_t bits = tree->size; (bits & 1) != 0; bits >>= 1) {
        iv_merkle_node(&roots[grown + 1], d, &tree->peaks[--count], &roots[grown]);
        grown++;
    }
    tree->peaks[count] = roots[grown];
    tree->size++;
    return grown + 1;
}

void iv_merkle_append(struct iv_merkle *tree, struct iv_digester *d, struct iv_str data)
{
    struct iv_merkle_hash roots[IV_MERKLE_PEAKS] IV_UNSET;
    (void)iv_merkle_grow(roots, tree, d, data);
}

void iv_merkle_root(struct iv_merkle_hash *out, struct iv_digester *d, const struct iv_merkle *tree)
{
    unsigned count = peaks(tree);
    if (count == 0) {
        iv_merkle_empty(out, d);
        return;
    }
    struct iv_merkle_hash root = tree->peaks[--count];
    while (count > 0) {
        iv_merkle_node(&root, d, &tree->peaks[--count], &root);
    }
    *out = root;
}
