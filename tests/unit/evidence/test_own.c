/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor finds about itself: told, read by others, in the log as all that is found. */
#include "base/guard.h"
#include "evidence/bundle_check.h"
#include "evidence/own.h"
#include "evidence/told.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1767225600000000000) /* 2026-01-01T00:00:00Z */
#define HOUR (3600 * IV_NS_PER_S)

struct world {
    struct scratch dir;
    char path[256];
    struct iv_store *store;
    struct iv_buf told;
    struct iv_err err;
};

static void world_init(struct world *w, const char *name)
{
    *w = (struct world){.dir = scratch_make()};
    struct iv_str path = scratch_file(&w->dir, name);
    (void)snprintf(w->path, sizeof w->path, IV_STR_FMT, IV_STR_ARG(path));
    iv_buf_init(&w->told, 1 << 16);
    cr_assert(iv_ok(iv_store_open(&w->store, iv_str_of(w->path), &w->err)), "%s", w->err.text);
}

static void world_deinit(struct world *w)
{
    iv_store_close(w->store);
    iv_buf_deinit(&w->told);
    scratch_remove(&w->dir);
}

static struct iv_own_finding outage(iv_ns over)
{
    return (struct iv_own_finding){.rule = IV_STR("invigil.sink-unreachable"),
                                   .title = IV_STR("An alert sink does not take notices"),
                                   .severity = IV_SEV_HIGH,
                                   .criteria = IV_STR("CC7.3 A1.2"),
                                   .subject = IV_STR("page"),
                                   .detail = over == 0 ? IV_STR("it answered 500") : IV_STR("it is back"),
                                   .began = NOW,
                                   .over = over};
}

static void put(struct world *w, iv_ns over)
{
    struct iv_own_finding finding = outage(over);
    cr_assert(iv_ok(iv_store_begin(w->store, &w->err)));
    cr_assert(iv_ok(iv_store_put_own(w->store, &finding, NOW + HOUR, &w->err)), "%s", w->err.text);
    cr_assert(iv_ok(iv_store_commit(w->store, &w->err)));
}

static void keep_newest(void *ctx, const struct iv_posting *message)
{
    struct world *w = ctx;
    iv_buf_clear(&w->told);
    iv_buf_str(&w->told, message->value);
    cr_expect(message->channel == IV_CHANNEL_FINDING);
}

struct seen {
    int count;
    enum iv_verdict_kind kind;
    enum iv_triage_state triage;
    char ocsf[8192];
};

static bool see(void *ctx, const struct iv_finding *f)
{
    struct seen *s = ctx;
    s->count++;
    s->kind = f->kind;
    s->triage = f->triage;
    (void)snprintf(s->ocsf, sizeof s->ocsf, IV_STR_FMT, IV_STR_ARG(f->ocsf));
    return true;
}

static struct seen look(const struct world *w)
{
    struct seen seen = {.count = 0};
    const struct iv_finding_filter filter = {.limit = 10};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w->path), NULL)));
    cr_assert(iv_ok(iv_reader_findings(reader, &filter, see, &seen, NULL)));
    return seen;
}

/* As the process of another store reads what was told last. */
static void tell(struct world *from, struct world *to, const struct sample *s, struct iv_decoder *decoder)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_told_finding told;
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_store_outbox(from->store, 0, 10, keep_newest, from, &from->err)));
    cr_assert(iv_ok(iv_told_finding_read(&told, decoder, s->catalogue, &arena, iv_buf_slice(&from->told),
                                         NOW + HOUR, &from->err)),
              "%s", from->err.text);
    cr_assert(iv_own_is(told.row.rule));
    cr_assert(iv_ok(iv_store_begin(to->store, &to->err)));
    cr_assert(iv_ok(iv_store_tell_own(to->store, &told.row, &to->err)), "%s", to->err.text);
    cr_assert(iv_ok(iv_store_commit(to->store, &to->err)));
}

Test(own, finding_is_there_while_it_lasts_and_closed_when_it_is_over_in_other_processes_as_well)
{
    IV_AUTO(world_deinit) struct world here;
    IV_AUTO(world_deinit) struct world there;
    struct sample s;
    struct iv_decoder *decoder = NULL;
    world_init(&here, "here.db");
    world_init(&there, "there.db");
    sample_init(&s);
    cr_assert(
        iv_ok(iv_decoder_new(&decoder, s.catalogue, &IV_TOLD_LIMITS, (struct iv_hash_key){1, 2}, NULL)));

    put(&here, 0);
    put(&here, 0);
    cr_expect(iv_store_outbox_count(here.store) == 1, "said again it is nothing new");
    tell(&here, &there, &s, decoder);
    struct seen lasts = look(&there);
    put(&here, NOW + 2 * HOUR);
    tell(&here, &there, &s, decoder);

    cr_expect(lasts.count == 1 && lasts.kind == IV_VIOLATED && lasts.triage == IV_TRIAGE_NEW);
    cr_expect(strstr(lasts.ocsf, "\"requirements\":[\"CC7.3\",\"A1.2\"]") != NULL, "%s", lasts.ocsf);
    cr_expect(strstr(lasts.ocsf, "\"offset\"") == NULL, "it is no record of a stream");
    for (int i = 0; i < 2; i++) {
        struct seen over = look(i == 0 ? &here : &there);
        cr_expect(over.count == 1 && over.kind == IV_UPDATED && over.triage == IV_TRIAGE_CLOSED);
        cr_expect(strstr(over.ocsf, "\"status\":\"Resolved\",\"status_detail\":\"it is back\"") != NULL, "%s",
                  over.ocsf);
    }
    iv_decoder_free(decoder);
    sample_deinit(&s);
}

Test(own, rule_is_none_that_a_baseline_can_have)
{
    static const struct {
        struct iv_str rule;
        bool own;
    } rows[] = {{IV_STR_INIT("invigil.sink-unreachable"), true},
                {IV_STR_INIT("invigil."), false},
                {IV_STR_INIT("TOK-002"), false},
                {IV_STR_INIT(""), false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_own_is(rows[i].rule) == rows[i].own, IV_STR_FMT, IV_STR_ARG(rows[i].rule));
    }
}

Test(own, finding_is_in_the_log_and_in_the_bundle_of_its_time)
{
    IV_AUTO(world_deinit) struct world w;
    IV_AUTO(iv_buf_deinit) struct iv_buf bundle;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_bundle_made made;
    struct iv_bundle_facts facts;
    const struct iv_bundle_order order = {.from = NOW - HOUR, .until = NOW + HOUR};
    const struct iv_bundle_trust trust = {.key = {NULL, 0}};
    world_init(&w, "s.db");
    iv_buf_init(&bundle, IV_BUNDLE_MAX_BYTES);
    put(&w, 0);
    put(&w, NOW + 2 * HOUR);

    cr_assert(iv_ok(iv_reader_open(&reader, iv_str_of(w.path), NULL)));
    cr_assert(iv_ok(iv_bundle_make(&bundle, &made, reader, &order, &w.err)), "%s", w.err.text);

    cr_expect(made.findings == 2, "as it was, and as it ended");
    cr_expect(iv_ok(iv_bundle_check(&facts, iv_buf_slice(&bundle), &trust, NULL, NULL, &w.err)), "%s",
              w.err.text);
    cr_expect(facts.documents[IV_LEAF_FINDING] == 2);
}
