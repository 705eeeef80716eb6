/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/guard.h"
#include "event/checkpoint.h"
#include "event/sign.h"
#include "evidence/bundle_check.h"
#include "evidence/log.h"
#include "evidence/reader.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define HOUR (3600 * IV_NS_PER_S)
#define FINDINGS 9

/* A store with a baseline, and an hour between findings; the sixth becomes contradicted in the end. */
struct world {
    struct scratch dir;
    struct sample s;
    struct iv_store *store;
    struct iv_signer *signer;
    struct iv_buf bundle;
    struct iv_buf early; /* the checkpoint after the second finding */
    struct iv_buf key;
    struct iv_err err;
    iv_ns now;
    char path[128];
};

static iv_ns now_of(void *ctx)
{
    return *(iv_ns *)ctx;
}

static void put(struct world *w)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, 1 << 16);
    struct iv_finding row;
    enum iv_put how = IV_PUT_SAME;
    cr_assert(iv_ok(iv_finding_of_verdict(&row, &scratch, &w->s.baseline, &w->s.verdict, w->now, &w->err)));
    cr_assert(iv_ok(iv_store_put_finding(w->store, &how, &row, &w->err)), "%s", w->err.text);
}

static void checkpoint(struct world *w, struct iv_buf *out)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &w->err)));
    cr_assert(iv_ok(iv_reader_checkpoint(reader, out, &w->err)), "%s", w->err.text);
}

static void record(struct world *w, const char *baseline)
{
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(
        iv_store_log(w->store, IV_LEAF_BASELINE, iv_str_of(baseline), IV_STR("{\"files\":[]}"), &w->err)));
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void fill(struct world *w)
{
    record(w, "first");
    for (unsigned n = 1; n <= FINDINGS; n++) {
        w->now += HOUR;
        cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
        sample_number(&w->s, n);
        w->s.verdict.trigger.time = w->now;
        put(w);
        cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
        if (n == 2) {
            checkpoint(w, &w->early);
        }
    }
    record(w, "second");
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    sample_number(&w->s, 6);
    w->s.verdict.trigger.time = SAMPLE_TIME + 6 * HOUR;
    w->s.verdict.kind = IV_CONTRADICTED;
    put(w);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void world_init(struct world *w, bool with_key)
{
    static const unsigned char seed[32] = {9};
    *w = (struct world){.dir = scratch_make(), .now = SAMPLE_TIME};
    sample_init(&w->s);
    iv_buf_init(&w->bundle, IV_BUNDLE_MAX_BYTES);
    iv_buf_init(&w->early, IV_NOTE_BYTES);
    iv_buf_init(&w->key, 4096);
    struct iv_str path = scratch_file(&w->dir, "s.db");
    (void)snprintf(w->path, sizeof w->path, "%.*s", (int)path.n, path.p);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &w->err)), "%s", w->err.text);
    iv_store_use_clock(w->store, &(struct iv_clock){now_of, now_of, &w->now});
    cr_assert(iv_ok(iv_signer_of_seed(&w->signer, seed, NULL)));
    cr_assert(iv_ok(iv_signer_public_pem(&w->key, w->signer, NULL)));
    if (with_key) {
        cr_assert(iv_ok(iv_store_sign_log(w->store, &(struct iv_log_signing){w->signer, 1, HOUR}, &w->err)));
        fill(w);
    }
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    iv_signer_free(w->signer);
    iv_buf_deinit(&w->bundle);
    iv_buf_deinit(&w->early);
    iv_buf_deinit(&w->key);
    sample_deinit(&w->s);
    scratch_remove(&w->dir);
}

/* Of the events of the hours from the first to before the last. */
static struct iv_bundle_made make(struct world *w, int first, int last, struct iv_str since)
{
    struct iv_bundle_made made;
    struct iv_bundle_order order = {SAMPLE_TIME + first * HOUR, SAMPLE_TIME + last * HOUR, since};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), &w->err)));
    iv_buf_clear(&w->bundle);
    cr_assert(iv_ok(iv_bundle_make(&w->bundle, &made, reader, &order, &w->err)), "%s", w->err.text);
    return made;
}

static struct iv_rc_s check(struct world *w, struct iv_bundle_facts *facts, struct iv_str bytes,
                            struct iv_str key, struct iv_str since)
{
    struct iv_bundle_trust trust = {key, since};
    w->err.text[0] = '\0';
    return iv_bundle_check(facts, bytes, &trust, NULL, NULL, &w->err);
}

Test(bundle, proves_all_of_a_period_and_no_more)
{
    IV_AUTO(world_deinit) struct world w;
    struct iv_bundle_facts facts;
    world_init(&w, true);

    struct iv_bundle_made made = make(&w, 5, 8, iv_buf_slice(&w.early));
    struct iv_rc_s rc =
        check(&w, &facts, iv_buf_slice(&w.bundle), iv_buf_slice(&w.key), iv_buf_slice(&w.early));

    cr_assert(iv_ok(rc), "%s", w.err.text);
    cr_expect_eq(made.size, FINDINGS + 3);
    cr_expect_eq(made.findings, 4, "three, and what one of them was");
    cr_expect_eq(facts.documents[IV_LEAF_FINDING], 4);
    cr_expect_eq(facts.documents[IV_LEAF_BASELINE], 2, "the one in force, and the next");
    cr_expect_eq(facts.entries, made.leaves - 1);
    cr_expect(facts.is_signed && facts.continues);
}

Test(bundle, a_store_without_a_key_or_an_entry_has_one_too)
{
    IV_AUTO(world_deinit) struct world w;
    struct iv_bundle_facts facts;
    world_init(&w, false);

    struct iv_bundle_made made = make(&w, 0, 1, (struct iv_str){NULL, 0});
    cr_expect(
        iv_ok(check(&w, &facts, iv_buf_slice(&w.bundle), (struct iv_str){NULL, 0}, (struct iv_str){NULL, 0})),
        "%s", w.err.text);
    cr_expect_not(made.is_signed);
    record(&w, "only");
    (void)make(&w, 0, 1, (struct iv_str){NULL, 0});
    cr_expect(
        iv_ok(check(&w, &facts, iv_buf_slice(&w.bundle), (struct iv_str){NULL, 0}, (struct iv_str){NULL, 0})),
        "%s", w.err.text);
    cr_expect_eq(facts.documents[IV_LEAF_BASELINE], 1);
    cr_expect_eq(
        check(&w, &facts, iv_buf_slice(&w.bundle), iv_buf_slice(&w.key), (struct iv_str){NULL, 0}).code,
        IV_E_MALFORMED, "a key asks for a signature");
}

Test(bundle, no_byte_can_be_another_be_left_out_or_be_put_in)
{
    static const unsigned char flips[] = {0x01, 0x02, 0x08, 0x20, 0x80};
    IV_AUTO(world_deinit) struct world w;
    struct iv_bundle_facts facts;
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    world_init(&w, true);
    (void)make(&w, 6, 7, iv_buf_slice(&w.early));
    iv_buf_init(&bytes, IV_BUNDLE_MAX_BYTES);
    iv_buf_str(&bytes, iv_buf_slice(&w.bundle));
    struct iv_str none = {NULL, 0};

    for (size_t i = 0; i < bytes.n; i++) {
        char was = bytes.p[i];
        bytes.p[i] = (char)(was ^ flips[i % IV_COUNT(flips)]);
        cr_assert_not(iv_ok(check(&w, &facts, iv_buf_slice(&bytes), none, none)), "byte %zu", i);
        cr_assert(w.err.text[0] != '\0');
        bytes.p[i] = was;
    }
    for (size_t n = 0; n < bytes.n; n += 1 + n / 64) {
        cr_assert_not(iv_ok(check(&w, &facts, (struct iv_str){bytes.p, n}, none, none)), "%zu bytes", n);
    }
    iv_buf_char(&bytes, '\n');
    cr_assert_not(iv_ok(check(&w, &facts, iv_buf_slice(&bytes), none, none)), "a line more");
}

/* The bundle with one line left out, its end made good for that. */
static void without_line(struct iv_buf *out, struct iv_str bytes, size_t line, struct iv_digester *d)
{
    size_t number = 0;
    const char *last = bytes.p;
    iv_buf_clear(out);
    for (const char *p = bytes.p; p < bytes.p + bytes.n; number++) {
        const char *end = memchr(p, '\n', (size_t)(bytes.p + bytes.n - p));
        last = p;
        if (number != line && end + 1 < bytes.p + bytes.n) {
            iv_buf_add(out, p, (size_t)(end + 1 - p));
        }
        p = end + 1;
    }
    cr_assert(last > bytes.p);
    struct iv_digest digest;
    struct iv_bundle_end end = {.lines = number - 2};
    iv_digest(d, &digest, IV_SHA256, iv_buf_slice(out));
    memcpy(end.digest.bytes, digest.bytes, sizeof end.digest.bytes);
    iv_bundle_write_end(out, &end);
}

Test(bundle, no_entry_can_be_left_out_by_who_can_write_bundles)
{
    IV_AUTO(world_deinit) struct world w;
    struct iv_bundle_facts facts;
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    world_init(&w, true);
    struct iv_bundle_made made = make(&w, 5, 8, (struct iv_str){NULL, 0});
    iv_buf_init(&bytes, IV_BUNDLE_MAX_BYTES);
    cr_assert(iv_ok(iv_digester_new(&digester, NULL)));
    struct iv_str none = {NULL, 0};

    for (size_t line = 2; line <= made.leaves;
         line++) { /* the first is an earlier baseline, which none need */
        without_line(&bytes, iv_buf_slice(&w.bundle), line, digester);
        cr_expect_eq(check(&w, &facts, iv_buf_slice(&bytes), iv_buf_slice(&w.key), none).code, IV_E_MALFORMED,
                     "line %zu", line);
    }
}

Test(bundle, another_key_and_another_log_are_found_out)
{
    static const unsigned char seed[32] = {10};
    IV_AUTO(world_deinit) struct world w;
    IV_AUTO(world_deinit) struct world other;
    IV_AUTO(iv_signer_freep) struct iv_signer *signer = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    struct iv_bundle_facts facts;
    struct iv_bundle_made made;
    struct iv_str none = {NULL, 0};
    iv_buf_init(&key, 4096);
    world_init(&w, true);
    world_init(&other, true);
    cr_assert(iv_ok(iv_signer_of_seed(&signer, seed, NULL)));
    cr_assert(iv_ok(iv_signer_public_pem(&key, signer, NULL)));
    (void)make(&w, 5, 8, iv_buf_slice(&w.early));

    cr_expect_eq(check(&w, &facts, iv_buf_slice(&w.bundle), iv_buf_slice(&key), none).code, IV_E_MALFORMED);
    cr_expect(strstr(w.err.text, "not signed by this key") != NULL, "%s", w.err.text);
    cr_expect_eq(check(&w, &facts, iv_buf_slice(&w.bundle), none, iv_buf_slice(&other.early)).code,
                 IV_E_MALFORMED);
    cr_expect_eq(check(&w, &facts, iv_buf_slice(&w.bundle), IV_STR("no key"), none).code, IV_E_REFUSED);
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w.path), &w.err)));
    /* Of the same entries: but a checkpoint is its log's alone. */
    struct iv_bundle_order order = {SAMPLE_TIME, SAMPLE_TIME + HOUR, iv_buf_slice(&other.early)};
    cr_expect_eq(iv_bundle_make(&w.bundle, &made, reader, &order, &w.err).code, IV_E_REFUSED);
    cr_expect(strstr(w.err.text, "not of this log") != NULL, "%s", w.err.text);
}
