/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/merkle.h"

#include <criterion/criterion.h>

static struct iv_digester *digester;

static void setup(void)
{
    cr_assert(iv_ok(iv_digester_new(&digester, NULL)));
}

static void teardown(void)
{
    iv_digester_free(digester);
}

TestSuite(merkle, .init = setup, .fini = teardown);

static void expect_hash(const struct iv_merkle_hash *hash, const char *hex, size_t size)
{
    unsigned char want[IV_MERKLE_BYTES];
    cr_assert(iv_hex_decode(want, sizeof want, iv_str_of(hex)));
    cr_expect_arr_eq(hash->bytes, want, sizeof want, "the root of %zu leaves", size);
}

/* Leaves and roots of Certificate Transparency's own tests (google/certificate-transparency,
 * cpp/merkletree/merkle_tree_test.cc), which every implementation of RFC 6962 repeats. */
static const struct {
    const char *leaf;
    const char *root; /* with this leaf as the last */
} rows[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

Test(merkle, the_tree_without_leaves_is_the_hash_of_nothing)
{
    struct iv_merkle tree = {0};
    struct iv_merkle_hash root;

    iv_merkle_root(&root, digester, &tree);

    expect_hash(&root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0);
}

Test(merkle, has_the_known_roots)
{
    struct iv_merkle tree = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char leaf[16];
        struct iv_merkle_hash root;
        size_t n = strlen(rows[i].leaf) / 2;
        cr_assert(iv_hex_decode(leaf, n, iv_str_of(rows[i].leaf)));

        iv_merkle_append(&tree, digester, (struct iv_str){(const char *)leaf, n});
        iv_merkle_root(&root, digester, &tree);

        cr_expect_eq(tree.size, i + 1);
        expect_hash(&root, rows[i].root, i + 1);
    }
}

/* RFC 6962 2.1 word for word. */
static void by_definition(struct iv_merkle_hash *out, uint32_t from, uint32_t count)
{
    struct iv_merkle_hash left;
    struct iv_merkle_hash right;
    uint32_t k = 1;
    if (count == 1) {
        iv_merkle_leaf(out, digester, (struct iv_str){(const char *)&from, sizeof from});
        return;
    }
    while (2 * k < count) {
        k *= 2;
    }
    by_definition(&left, from, k);
    by_definition(&right, from + k, count - k);
    iv_merkle_node(out, digester, &left, &right);
}

Test(merkle, agrees_with_the_definition_at_every_size)
{
    struct iv_merkle tree = {0};
    for (uint32_t i = 0; i < 130; i++) {
        struct iv_merkle_hash root;
        struct iv_merkle_hash want;
        iv_merkle_append(&tree, digester, (struct iv_str){(const char *)&i, sizeof i});

        iv_merkle_root(&root, digester, &tree);
        by_definition(&want, 0, i + 1);

        cr_expect_arr_eq(root.bytes, want.bytes, sizeof want.bytes, "size %u", i + 1);
    }
}
