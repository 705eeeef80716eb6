/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/hash.h"
#include "evidence/alive.h"
#include "evidence/told.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define MINUTE (60 * IV_NS_PER_S)

struct world {
    struct scratch scratch;
    struct iv_store *store;
    struct iv_err err;
};

static void world_init(struct world *w)
{
    char path[512];
    w->scratch = scratch_make();
    (void)snprintf(path, sizeof path, "%s/store.db", w->scratch.path);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(path), &w->err)), "%s", w->err.text);
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    scratch_remove(&w->scratch);
}

/* Agents of these numbers were seen in the five minutes. */
static void see(struct world *w, int32_t partition, iv_ns span, iv_ns as_of, uint64_t first, uint64_t end)
{
    struct iv_crowd crowd = {.hashes = NULL};
    struct iv_buf bytes;
    iv_buf_init(&bytes, IV_CROWD_BYTES + 1);
    for (uint64_t i = first; i < end; i++) {
        cr_assert(iv_crowd_add(
            &crowd, iv_hash64((struct iv_hash_key){1, 2}, (struct iv_str){(const char *)&i, sizeof i}),
            NULL));
    }
    iv_crowd_write(&bytes, &crowd);
    const struct iv_alive_row row = {IV_ALIVE_AGENTS, span, iv_buf_slice(&bytes)};
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_put_alive(w->store, IV_STR("l"), partition, as_of, &row, 1, &w->err)), "%s",
              w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
    iv_buf_deinit(&bytes);
    iv_crowd_deinit(&crowd);
}

static int64_t alive(struct world *w, iv_ns expected_as_of)
{
    int64_t count = -1;
    iv_ns as_of = 0;
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    struct iv_rc_s rc = iv_store_alive(w->store, IV_ALIVE_AGENTS, &count, &as_of, &w->err);
    iv_store_rollback(w->store);
    cr_expect(iv_ok(rc) ? as_of == expected_as_of : rc.code == IV_E_ABSENT);
    return iv_ok(rc) ? count : -1;
}

Test(alive, are_those_of_the_last_hour_of_all_cells_each_once)
{
    struct world w;
    world_init(&w);
    cr_expect(alive(&w, 0) == -1, "nobody has said it");
    see(&w, 0, 0, 4 * MINUTE, 0, 10);
    see(&w, 0, 0, 4 * MINUTE, 0, 10); /* a replay */
    cr_expect(alive(&w, 4 * MINUTE) == 10);
    see(&w, 1, 0, 5 * MINUTE, 5, 20);
    cr_expect(alive(&w, 5 * MINUTE) == 20);
    see(&w, 0, 60 * MINUTE, 62 * MINUTE, 40, 41);
    see(&w, 1, 60 * MINUTE, 62 * MINUTE, 41, 42);
    cr_expect(alive(&w, 62 * MINUTE) == 22);
    see(&w, 0, 65 * MINUTE, 66 * MINUTE, 40, 41);
    see(&w, 1, 65 * MINUTE, 66 * MINUTE, 41, 42);
    cr_expect(alive(&w, 66 * MINUTE) == 2, "those of an hour ago are gone");
    world_deinit(&w);
}

Test(alive, a_cell_that_lies_far_behind_the_others_is_left_out)
{
    struct world w;
    world_init(&w);
    see(&w, 0, 0, 4 * MINUTE, 0, 10);
    see(&w, 1, 5 * MINUTE, 9 * MINUTE, 10, 12);
    cr_expect(alive(&w, 9 * MINUTE) == 12);
    see(&w, 1, 5 * MINUTE, 9 * MINUTE + 1, 10, 12);
    cr_expect(alive(&w, 9 * MINUTE + 1) == 2);
    world_deinit(&w);
}

Test(alive, is_told_to_other_processes_and_the_newest_counts)
{
    struct world from;
    struct world to;
    struct iv_err err;
    struct iv_told_coverage told[2];
    struct iv_catalogue *catalogue = NULL;
    struct iv_decoder *decoder = NULL;
    struct iv_decode_limits limits = IV_TOLD_LIMITS;
    struct iv_arena arena;
    struct iv_buf text[2];
    world_init(&from);
    world_init(&to);
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_catalogue_new(&catalogue, &err)) && iv_ok(iv_catalogue_freeze(catalogue, &err)));
    cr_assert(iv_ok(iv_decoder_new(&decoder, catalogue, &limits, (struct iv_hash_key){0, 0}, &err)));
    for (int i = 0; i < 2; i++) {
        see(&from, 3, 0, (i + 1) * MINUTE, 0, i == 0 ? 200 : 2000);
        iv_buf_init(&text[i], 1u << 16);
        cr_assert(iv_ok(iv_store_begin(from.store, &err)));
        cr_assert(iv_ok(iv_store_alive_text(from.store, &text[i], IV_STR("l"), 3, &err)), "%s", err.text);
        iv_store_rollback(from.store);
        cr_assert(iv_ok(iv_told_coverage_read(&told[i], decoder, &arena, iv_buf_slice(&text[i]), &err)), "%s",
                  err.text);
        cr_expect(iv_str_eq(told[i].topic, IV_STR("l")) && told[i].cover.partition == 3);
        cr_expect(told[i].alive_count == IV_ALIVE_KINDS);
    }
    for (int i = 1; i >= 0; i--) { /* the older one comes last, and says nothing new */
        cr_assert(iv_ok(iv_store_begin(to.store, &err)));
        cr_assert(
            iv_ok(iv_store_tell_alive(to.store, told[i].topic, 3, told[i].alive, told[i].alive_count, &err)));
        cr_assert(iv_ok(iv_store_commit(to.store, &err)));
    }
    int64_t count = alive(&to, 2 * MINUTE);
    cr_expect(count == alive(&from, 2 * MINUTE) && count > 1850 && count < 2150);
    iv_buf_deinit(&text[0]);
    iv_buf_deinit(&text[1]);
    iv_decoder_free(decoder);
    iv_catalogue_free(catalogue);
    iv_arena_deinit(&arena);
    world_deinit(&from);
    world_deinit(&to);
}
