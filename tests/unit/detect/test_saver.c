/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/saver.h"

#include "base/guard.h"
#include "event/decode.h"
#include "support/scratch.h"
#include "vault/folder.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONG_ENOUGH (100 * IV_NS_PER_S)
#define CELL IV_STR("all")

static const char settings[] =
    "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: b, version: \"1\"}\npacks: [pack.yaml]\n"
    "streams: {telemetry: {lateness: 1h}}\n"
    "events:\n  use: {stream: telemetry, fields: {k: string}}\n  gone: {stream: telemetry, fields: {k: "
    "string}}\n";
static const char pack[] =
    "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n"
    "- {id: USE-1, title: t, severity: low, criteria: [CC7.2], on: {event: use, as: u},"
    " forbid: {with: {event: gone, as: g, by: k, before: 1h}}}\n";

/* The kernel's, for want of memory or of numbers. */
static bool no_processes;
pid_t __real_fork(void);
pid_t __wrap_fork(void);
pid_t __wrap_fork(void)
{
    errno = EAGAIN;
    return no_processes ? -1 : __real_fork();
}

/* A judge with a saver, in folders of their own; time is what the test says. */
struct scene {
    struct scratch dir;
    char folder[80];
    struct iv_baseline *baseline;
    struct iv_judge *judge;
    struct iv_saver *saver;
    struct iv_arena arena;
    iv_ns now;
    int64_t offset;
    size_t told;
    size_t offers;
    bool refuses; /* the first that is offered */
};

static iv_ns clock_of(void *ctx)
{
    return ((struct scene *)ctx)->now;
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    (void)verdict;
    ((struct scene *)ctx)->told++;
}

static void appoint(struct scene *s, struct iv_str bytes)
{
    struct iv_err err;
    struct iv_judge_options options = {
        .baseline = s->baseline, .verdict = on_verdict, .ctx = s, .hash_key = {1, 2}, .bytes = {bytes}};
    iv_judge_free(TAKE(s->judge));
    cr_assert(iv_ok(iv_judge_new(&s->judge, &options, &err)), "%s", err.text);
}

static void begin(struct scene *s)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_err err;
    *s = (struct scene){.dir = scratch_make(), .now = 1};
    iv_arena_init(&s->arena, 0);
    (void)snprintf(s->folder, sizeof s->folder, "%s/snapshots", s->dir.path);
    scratch_write(&s->dir, "baseline.yaml", iv_str_of(settings));
    scratch_write(&s->dir, "pack.yaml", iv_str_of(pack));
    cr_assert(iv_ok(iv_problems_new(&problems, &err)));
    cr_assert(iv_ok(iv_baseline_load(&s->baseline, iv_str_of(s->dir.path), problems, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_vault_folder_open(iv_str_of(s->folder), &err)), "%s", err.text);
    struct iv_saver_options options = {.folder = iv_str_of(s->folder),
                                       .every = 30 * IV_NS_PER_S,
                                       .keep = 2,
                                       .clock = {clock_of, clock_of, s}};
    cr_assert(iv_ok(iv_saver_new(&s->saver, &options, &err)), "%s", err.text);
    appoint(s, (struct iv_str){NULL, 0});
    cr_assert(iv_ok(iv_judge_open(s->judge, IV_TELEMETRY, 0, &err)));
}

static void end(struct scene *s)
{
    iv_saver_free(s->saver);
    iv_judge_free(s->judge);
    iv_baseline_unref(s->baseline);
    iv_arena_deinit(&s->arena);
    DIR *d = opendir(s->folder);
    for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    (void)rmdir(s->folder);
    scratch_remove(&s->dir);
}

static size_t files(const struct scene *s, const char *suffix)
{
    size_t count = 0;
    DIR *d = opendir(s->folder);
    for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        size_t n = strlen(e->d_name);
        count += n >= strlen(suffix) && strcmp(e->d_name + n - strlen(suffix), suffix) == 0 ? 1 : 0;
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return count;
}

static void feed(struct scene *s, const char *type, const char *key)
{
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    struct iv_err err;
    struct iv_event event;
    char json[512];
    int n = snprintf(json, sizeof json,
                     "{\"specversion\":\"1.0\",\"id\":\"%d\",\"source\":\"s\",\"type\":\"%s\",\"time\":"
                     "\"2026-01-01T00:00:%02dZ\",\"data\":{\"k\":\"%s\"}}",
                     (int)s->offset, type, (int)(s->offset % 60), key);
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, s->offset++, IV_STR("telemetry")},
                               .bytes = iv_arena_str(&s->arena, (struct iv_str){json, (size_t)n})};
    cr_assert(iv_ok(iv_decoder_new(&decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                   iv_judge_hash_key(s->judge), &err)));
    cr_assert(iv_ok(iv_decode(decoder, &record, &s->arena, &event, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_judge_event(s->judge, &event, &err)), "%s", err.text);
}

static struct iv_rc_s save(struct scene *s, struct iv_err *err)
{
    struct iv_vault_place place = {IV_STR("telemetry"), 0, s->offset};
    struct iv_saver_cell cell = {.name = CELL,
                                 .judge = s->judge,
                                 .baseline = iv_str_of(s->baseline->digest_hex),
                                 .places = &place,
                                 .place_count = 1,
                                 .notes = IV_STR("n")};
    return iv_saver_begin(s->saver, &cell, 1, err);
}

static void save_and_keep(struct scene *s)
{
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(save(s, &err)), "%s", err.text);
    iv_saver_release(s->saver);
    cr_assert(eq(int, (int)iv_saver_wait(s->saver, LONG_ENOUGH, &err), (int)IV_SAVER_KEPT), "%s", err.text);
}

static struct iv_rc_s take(void *ctx, struct iv_vault_reader *r, struct iv_err *err)
{
    struct scene *s = ctx;
    s->offers++;
    ENSURE(!s->refuses || s->offers > 1, err, IV_E_MALFORMED, "not this one");
    s->offset = r->head.places[0].next;
    cr_expect(iv_str_eq(r->head.notes, IV_STR("n")));
    appoint(s, r->engines[0]);
    return IV_OK;
}

Test(saver, what_was_saved_goes_on_as_if_nothing_had_been)
{
    struct scene s;
    struct iv_err err;
    begin(&s);
    feed(&s, "gone", "a");
    save_and_keep(&s);
    feed(&s, "gone", "b"); /* behind the snapshot: forgotten, and to be read again */

    cr_assert(iv_ok(iv_saver_restore(s.saver, CELL, take, &s, &err)), "%s", err.text);

    cr_expect(eq(i64, s.offset, 1));
    feed(&s, "use", "b");
    cr_expect(eq(sz, s.told, 0));
    feed(&s, "use", "a");
    cr_expect(eq(sz, s.told, 1));
    end(&s);
}

Test(saver, a_snapshot_has_no_name_until_it_is_released)
{
    struct scene s;
    struct iv_err err = {.text = ""};
    begin(&s);
    cr_assert(iv_ok(save(&s, &err)), "%s", err.text);

    cr_expect(eq(int, (int)iv_saver_wait(s.saver, 300 * IV_NS_PER_MS, &err), (int)IV_SAVER_WRITING));
    cr_expect(eq(sz, files(&s, ".snapshot"), 0));
    iv_saver_release(s.saver);
    cr_expect(eq(int, (int)iv_saver_wait(s.saver, LONG_ENOUGH, &err), (int)IV_SAVER_KEPT), "%s", err.text);
    cr_expect(eq(sz, files(&s, ".snapshot"), 1));
    end(&s);
}

Test(saver, the_worker_is_changed_by_no_snapshot_of_it)
{
    struct scene s;
    struct iv_err err = {.text = ""};
    begin(&s);
    feed(&s, "gone", "a");
    cr_assert(iv_ok(save(&s, &err)), "%s", err.text);
    feed(&s, "use", "a"); /* while it is written */
    iv_saver_release(s.saver);
    cr_assert(eq(int, (int)iv_saver_wait(s.saver, LONG_ENOUGH, &err), (int)IV_SAVER_KEPT), "%s", err.text);
    cr_expect(eq(sz, s.told, 1));

    cr_assert(iv_ok(iv_saver_restore(s.saver, CELL, take, &s, &err)), "%s", err.text);
    feed(&s, "use", "a");
    cr_expect(eq(sz, s.told, 2));
    end(&s);
}

Test(saver, one_is_due_from_time_to_time_and_only_the_newest_are_kept)
{
    struct scene s;
    begin(&s);
    cr_expect(not(iv_saver_due(s.saver)));
    for (int i = 0; i < 4; i++) {
        s.now += 30 * IV_NS_PER_S;
        cr_expect(iv_saver_due(s.saver));
        save_and_keep(&s);
        cr_expect(not(iv_saver_due(s.saver)));
    }

    cr_expect(eq(sz, files(&s, ".snapshot"), 2));
    cr_expect(eq(sz, files(&s, ".part"), 0));
    end(&s);
}

Test(saver, where_the_newest_is_refused_the_older_one_is_offered)
{
    struct scene s;
    struct iv_err err;
    begin(&s);
    feed(&s, "gone", "a");
    save_and_keep(&s);
    feed(&s, "gone", "b");
    save_and_keep(&s);
    s.refuses = true;

    cr_assert(iv_ok(iv_saver_restore(s.saver, CELL, take, &s, &err)), "%s", err.text);

    cr_expect(eq(sz, s.offers, 2));
    cr_expect(eq(i64, s.offset, 1));
    end(&s);
}

Test(saver, without_a_snapshot_it_says_so)
{
    struct scene s;
    struct iv_err err;
    begin(&s);

    cr_expect(eq(int, (int)iv_saver_restore(s.saver, CELL, take, &s, &err).code, (int)IV_E_ABSENT));
    cr_expect(ne(ptr, strstr(err.text, "has no snapshot of 'all' that can be used"), NULL));
    end(&s);
}

/* The child's words where there is a child, the begin's own where the worker writes itself. */
Test(saver, a_snapshot_that_cannot_be_written_says_why_and_the_worker_goes_on)
{
    struct scene s;
    struct iv_err err = {.text = ""};
    begin(&s);
    cr_assert(eq(int, rmdir(s.folder), 0));

    if (iv_ok(save(&s, &err))) {
        iv_saver_release(s.saver);
        cr_assert(eq(int, (int)iv_saver_wait(s.saver, LONG_ENOUGH, &err), (int)IV_SAVER_FAILED));
    }
    cr_expect(ne(ptr, strstr(err.text, "No such file or directory"), NULL), "%s", err.text);
    cr_expect(not(iv_saver_busy(s.saver)));

    cr_assert(eq(int, mkdir(s.folder, 0700), 0));
    save_and_keep(&s);
    cr_expect(eq(sz, files(&s, ".snapshot"), 1));
    end(&s);
}

/* Under the address sanitizer there is no child. */
#ifndef __SANITIZE_ADDRESS__
Test(saver, without_a_process_for_it_there_is_no_snapshot_until_there_is_one)
{
    struct scene s;
    struct iv_err err = {.text = ""};
    begin(&s);
    s.now += 30 * IV_NS_PER_S;
    no_processes = true;

    cr_expect(eq(int, (int)save(&s, &err).code, (int)IV_E_IO));
    cr_expect(
        eq(str, err.text, "cannot fork a process that writes a snapshot: Resource temporarily unavailable"));
    cr_expect(not(iv_saver_busy(s.saver)));
    cr_expect(not(iv_saver_due(s.saver)), "the next one is due later");
    cr_expect(eq(sz, files(&s, ".part"), 0));

    no_processes = false;
    s.now += 30 * IV_NS_PER_S;
    cr_expect(iv_saver_due(s.saver));
    save_and_keep(&s);
    end(&s);
}
#endif

Test(saver, an_end_in_the_middle_leaves_nothing_behind)
{
    struct scene s;
    struct iv_err err = {.text = ""};
    begin(&s);
    cr_assert(iv_ok(save(&s, &err)), "%s", err.text);
    cr_assert(eq(int, (int)iv_saver_wait(s.saver, 300 * IV_NS_PER_MS, &err), (int)IV_SAVER_WRITING));

    iv_saver_free(TAKE(s.saver));

    cr_expect(eq(sz, files(&s, ".part"), 0));
    cr_expect(eq(sz, files(&s, ".snapshot"), 0));
    end(&s);
}
