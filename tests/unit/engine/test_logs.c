/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/logs.h"
#include "engine/logs_image.h"

#include <criterion/criterion.h>

#define REACH (10 * IV_NS_PER_S)

static struct iv_ground ground;
static struct iv_slab blocks;
static struct iv_logs logs;
static struct iv_digester *digester;

static void setup(void)
{
    iv_ground_init(&ground);
    iv_slab_init(&blocks, &ground, IV_TIMER_BLOCK_BYTES);
    iv_logs_init(&logs, &ground, &blocks, REACH);
    cr_assert(iv_ok(iv_digester_new(&digester, NULL)));
}

static void teardown(void)
{
    iv_digester_free(digester);
    iv_logs_deinit(&logs);
    iv_slab_deinit(&blocks);
    iv_ground_deinit(&ground);
}

TestSuite(logs, .init = setup, .fini = teardown);

/* Branch 0 is the log itself; the others are of other hashes. */
static struct iv_hash128 key_of(uint64_t seq, uint64_t branch)
{
    return (struct iv_hash128){seq * UINT64_C(0x9e3779b97f4a7c15) ^ branch << 7, seq << 8 | branch};
}

static void claim(uint64_t seq, uint64_t branch, uint64_t names, iv_ns time)
{
    uint64_t leaf[4] = {seq, branch};
    struct iv_log_claim c = {.key = key_of(seq, branch),
                             .names = seq == 0 ? (struct iv_hash128){0, 0} : key_of(seq - 1, names),
                             .seq = seq,
                             .time = time,
                             .hash = {(const char *)leaf, sizeof leaf}};
    cr_assert(iv_logs_add(&logs, digester, &c));
}

static void append(struct iv_merkle *tree, uint64_t seq, uint64_t branch)
{
    uint64_t leaf[4] = {seq, branch};
    iv_merkle_append(tree, digester, (struct iv_str){(const char *)leaf, sizeof leaf});
}

static void settle(iv_ns passed)
{
    cr_assert(iv_logs_settle(&logs, digester, passed, true));
    cr_assert(iv_logs_settled(&logs, passed));
}

static bool is_connected(uint64_t seq, uint64_t branch)
{
    uint32_t ref = iv_logs_find(&logs, key_of(seq, branch));
    return ref != 0 && iv_log_entry_at(&logs, ref)->state == IV_LOG_CONNECTED;
}

static void expect_root(uint32_t entry, const struct iv_merkle *tree)
{
    struct iv_merkle_hash want;
    struct iv_merkle_hash got;
    iv_merkle_root(&want, digester, tree);
    cr_assert_neq(entry, 0);
    iv_logs_root(&got, &logs, digester, entry);
    cr_expect_arr_eq(got.bytes, want.bytes, sizeof want.bytes, "%llu leaves", (unsigned long long)tree->size);
}

Test(logs, has_the_root_of_every_beginning)
{
    struct iv_merkle tree = {0};
    for (uint64_t i = 0; i < 70; i++) {
        claim(i, 0, 0, (iv_ns)i);
    }
    settle(1000);
    uint32_t last = iv_logs_find(&logs, key_of(69, 0));
    for (uint64_t i = 0; i < 70; i++) {
        append(&tree, i, 0);
        expect_root(iv_logs_prefix(&logs, last, i + 1), &tree);
    }
}

Test(logs, connects_whatever_the_order_of_arrival)
{
    struct iv_merkle tree = {0};
    for (uint64_t i = 0; i < 97; i++) {
        uint64_t seq = i * 31 % 97;
        claim(seq, 0, 0, (iv_ns)seq);
        settle((iv_ns)(i % 3 == 0 ? i : 0));
        append(&tree, i, 0);
    }
    settle(1000);
    expect_root(iv_logs_find(&logs, key_of(96, 0)), &tree);
}

Test(logs, connects_nothing_before_the_watermark_has_passed_it)
{
    claim(0, 0, 0, 5);
    settle(5);
    cr_expect_not(is_connected(0, 0));
    settle(6);
    cr_expect(is_connected(0, 0));
}

Test(logs, many_that_wait_for_one_are_connected_in_steps)
{
    enum { MANY = 5000 };
    for (uint64_t i = 1; i < MANY; i++) {
        claim(i, 0, 0, (iv_ns)i);
    }
    settle(MANY + 1);
    claim(0, 0, 0, 0);
    int steps = 0;
    while (!iv_logs_settled(&logs, MANY + 1)) {
        cr_assert(iv_logs_settle(&logs, digester, MANY + 1, false));
        steps++;
    }
    cr_expect(is_connected(MANY - 1, 0));
    cr_expect_geq(steps, 5);
}

Test(logs, branches_of_a_fork_share_their_beginning)
{
    struct iv_merkle trees[2] = {{0}};
    for (uint64_t branch = 0; branch < 2; branch++) {
        for (uint64_t i = 0; i < 20; i++) {
            uint64_t own = i < 13 ? 0 : branch;
            claim(i, own, i < 14 ? 0 : branch, (iv_ns)i);
            append(&trees[branch], i, own);
        }
    }
    settle(1000);
    for (uint64_t branch = 0; branch < 2; branch++) {
        expect_root(iv_logs_find(&logs, key_of(19, branch)), &trees[branch]);
    }
    cr_expect_eq(logs.entries.live, 27);
}

Test(logs, of_two_that_claim_one_entry_the_earlier_counts)
{
    claim(0, 0, 0, 0);
    claim(1, 0, 1, 3);
    claim(1, 0, 0, 2);
    claim(1, 0, 2, 4);
    settle(10);
    cr_expect(is_connected(1, 0));
}

Test(logs, of_two_earliest_that_name_different_predecessors_neither_counts)
{
    claim(0, 0, 0, 0);
    claim(1, 0, 0, 2);
    claim(1, 0, 1, 2);
    settle(10);
    cr_expect_not(is_connected(1, 0));
}

Test(logs, an_earlier_claim_settles_a_dispute)
{
    claim(0, 0, 0, 0);
    claim(1, 0, 0, 2);
    claim(1, 0, 1, 2);
    claim(1, 0, 0, 1);
    settle(10);
    cr_expect(is_connected(1, 0));
}

Test(logs, neighbours_further_apart_than_the_reach_are_none)
{
    claim(0, 0, 0, 0);
    claim(1, 0, 0, REACH);
    claim(0, 1, 0, 0);
    claim(1, 1, 1, REACH + 1);
    settle(2 * REACH);
    cr_expect(is_connected(1, 0));
    cr_expect_not(is_connected(1, 1));
}

static void sweep(iv_ns passed)
{
    for (int i = 0; i < 1000; i++) {
        iv_logs_sweep(&logs, passed);
    }
}

Test(logs, have_no_entry_where_no_place_can_be_told)
{
    uint64_t beyond = IV_LOG_SEQ_MAX + 1;
    claim(beyond, 0, 0, 1);
    claim(beyond + 1, 0, 0, 2);
    settle(1000);

    cr_expect_not(is_connected(beyond, 0));
    cr_expect_not(is_connected(beyond + 1, 0));
}

Test(logs, keeps_a_peak_for_each_bit_of_what_it_forgets)
{
    struct iv_merkle tree = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        claim(i, 0, 0, (iv_ns)i * IV_NS_PER_S);
        settle((iv_ns)i * IV_NS_PER_S);
        iv_logs_sweep(&logs, (iv_ns)i * IV_NS_PER_S);
        append(&tree, i, 0);
        cr_assert_leq(logs.entries.live, 12 + 10);
    }
    settle(1000 * IV_NS_PER_S);
    uint32_t last = iv_logs_find(&logs, key_of(999, 0));
    expect_root(last, &tree);
    cr_expect_eq(iv_logs_prefix(&logs, last, 900), 0);
    cr_expect_neq(iv_logs_prefix(&logs, last, 995), 0);
}

Test(logs, what_waits_in_vain_is_forgotten)
{
    for (uint64_t i = 0; i < 50; i++) {
        claim(2 + i % 5, i, i / 7, (iv_ns)i);
    }
    settle(1000);
    cr_expect_gt(logs.entries.live, 50);
    sweep(REACH + 1000);
    cr_expect_eq(logs.entries.live, 0);
    cr_expect_eq(logs.table.count, 0);
}

/* A bit of everything: connected, forgotten, forked, waiting, unseen, claimed. */
static void fill(void)
{
    for (uint64_t i = 0; i < 30; i++) {
        claim(i, 0, 0, (iv_ns)i * IV_NS_PER_S);
    }
    claim(25, 1, 0, 25 * IV_NS_PER_S);
    claim(28, 2, 2, 28 * IV_NS_PER_S);
    claim(29, 3, 2, 29 * IV_NS_PER_S);
    claim(29, 4, 0, 29 * IV_NS_PER_S);
    claim(29, 4, 1, 29 * IV_NS_PER_S);
    settle(29 * IV_NS_PER_S);
    sweep(29 * IV_NS_PER_S);
}

static void write(struct iv_buf *out)
{
    struct iv_err err;
    iv_buf_init(out, 1u << 20);
    cr_assert(iv_ok(iv_logs_write(&logs, out, &err)));
    cr_assert_not(iv_buf_failed(out));
}

static bool read(struct iv_logs *out, struct iv_str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct iv_image in = {p, p + bytes.n, false};
    iv_logs_init(out, &ground, &blocks, REACH);
    cr_assert(iv_logs_read(out, &in));
    return iv_image_done(&in);
}

Test(logs, go_on_from_what_was_written_down)
{
    struct iv_buf before;
    struct iv_buf after;
    struct iv_logs restored;
    struct iv_merkle tree = {0};
    fill();
    write(&before);

    cr_assert(read(&restored, iv_buf_slice(&before)));
    iv_logs_deinit(&logs);
    logs = restored;
    write(&after);

    cr_expect(iv_str_eq(iv_buf_slice(&before), iv_buf_slice(&after)));
    settle(60 * IV_NS_PER_S);
    for (uint64_t i = 0; i < 30; i++) {
        append(&tree, i, 0);
    }
    expect_root(iv_logs_find(&logs, key_of(29, 0)), &tree);
    sweep(60 * IV_NS_PER_S);
    cr_expect_eq(logs.entries.live, 0);
    iv_buf_deinit(&before);
    iv_buf_deinit(&after);
}

Test(logs, damaged_bytes_do_no_harm)
{
    struct iv_buf bytes;
    fill();
    write(&bytes);
    for (size_t i = 0; i < bytes.n; i++) {
        struct iv_logs restored;
        char was = bytes.p[i];
        bytes.p[i] = (char)(was ^ (1 << i % 8));
        if (read(&restored, iv_buf_slice(&bytes))) {
            cr_assert(iv_logs_settle(&restored, digester, 60 * IV_NS_PER_S, true));
            for (int k = 0; k < 100; k++) {
                iv_logs_sweep(&restored, 60 * IV_NS_PER_S);
            }
        }
        iv_logs_deinit(&restored);
        bytes.p[i] = was;
        cr_expect_not(read(&restored, (struct iv_str){bytes.p, i}), "cut at %zu", i);
        iv_logs_deinit(&restored);
    }
    iv_buf_deinit(&bytes);
}
