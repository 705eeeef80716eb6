/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "console/chunk.h"
#include "console/readers.h"
#include "evidence/store.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { FINDINGS = 64, NAME_BYTES = 4096, NAMES = 4, OF_JSON = 6 };

/* Each byte of it takes six in JSON. */
static struct iv_str hostile_name(void)
{
    static char name[NAME_BYTES];
    memset(name, 1, sizeof name);
    return (struct iv_str){name, sizeof name};
}

static void put_findings(struct iv_store *store)
{
    struct iv_err err;
    struct sample sample;
    struct iv_buf scratch;
    sample_init(&sample);
    iv_buf_init(&scratch, 1 << 20);
    cr_assert(iv_ok(iv_store_begin(store, &err)), "%s", err.text);
    for (unsigned i = 0; i < FINDINGS; i++) {
        struct iv_finding row;
        enum iv_put how;
        sample_number(&sample, i);
        cr_assert(iv_ok(
            iv_finding_of_verdict(&row, &scratch, &sample.baseline, &sample.verdict, SAMPLE_TIME, &err)));
        row.tenant = row.agent = row.trigger_source = row.trigger_id = hostile_name();
        cr_assert(iv_ok(iv_store_put_finding(store, &how, &row, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_store_commit(store, &err)), "%s", err.text);
    iv_buf_deinit(&scratch);
    sample_deinit(&sample);
}

static size_t count_of(const struct iv_chunk *chunk, struct iv_str word)
{
    size_t count = 0;
    for (size_t i = 0; i + word.n <= chunk->n; i++) {
        count += memcmp(chunk->bytes + i, word.p, word.n) == 0;
    }
    return count;
}

Test(chunk, names_as_long_as_producers_like_end_a_piece_and_no_stream)
{
    struct iv_err err;
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_str path = scratch_file(&dir, "s.db");
    struct iv_store *store = NULL;
    struct iv_readers *readers = NULL;
    struct iv_chunks *chunks = NULL;
    struct iv_chunk *chunk = NULL;
    cr_assert(iv_ok(iv_store_open(&store, path, &err)), "%s", err.text);
    put_findings(store);
    cr_assert(iv_ok(iv_readers_new(&readers, path, 1, 60 * IV_NS_PER_S, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_chunks_new(&chunks, readers, &err)), "%s", err.text);

    size_t findings = 0;
    struct iv_place place = {0, 0};
    do {
        cr_assert(iv_ok(iv_chunks_get(chunks, &chunk, place, 1, &err)), "%s", err.text);
        if (chunk != NULL) {
            cr_expect_lt(chunk->n, (size_t)IV_CHUNK_BYTES + 2 * NAMES * NAME_BYTES * OF_JSON);
            findings += count_of(chunk, IV_STR("event: finding\n"));
            place = chunk->to;
            iv_chunk_unref(chunk);
        }
    } while (chunk != NULL);
    cr_expect(eq(sz, findings, FINDINGS));

    iv_chunks_free(chunks);
    iv_readers_free(readers);
    iv_store_close(store);
}
