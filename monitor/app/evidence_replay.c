/* SPDX-License-Identifier: Apache-2.0 */
#include "app/evidence_replay.h"

#include "app/evidence_files.h"
#include "app/replay_core.h"
#include "app/replay_input.h"
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "event/catalogue.h"
#include "evidence/own.h"
#include "evidence/told.h"
#include "judge/verify.h"

#include <stdlib.h>

#define LIMITS ((struct iv_decode_limits){IV_BUNDLE_MAX_BYTES, 32, 65536, IV_BUNDLE_MAX_BYTES})
#define BASELINES_MAX 32

struct told {
    unsigned char uid[IV_UID_BYTES];
    struct iv_str rule;
    struct iv_str baseline; /* digest */
    bool violation;         /* in its last state */
    bool agreed;
    bool open;     /* where the records end, nothing is decided yet */
    size_t number; /* in order of the log */
};

/* A violation that a replay found, and the bundle has not. */
struct found {
    unsigned char uid[IV_UID_BYTES];
    struct iv_str rule;
};

struct iv_evidence_replay {
    struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_arena arena; /* of one document */
    struct iv_arena kept;
    struct told *told;
    size_t told_count;
    size_t told_room;
    struct found *found;
    size_t found_count;
    size_t found_room;
    struct {
        struct iv_str digest;
        struct iv_str document;
    } baselines[BASELINES_MAX];
    size_t baseline_count;
};

iv_rc iv_evidence_replay_new(struct iv_evidence_replay **out, struct iv_err *err)
{
    IV_AUTO(iv_evidence_replay_freep) struct iv_evidence_replay *r = iv_calloc(1, sizeof *r);
    ENSURE(r != NULL, err, IV_E_NOMEM, "no memory left to replay a bundle");
    iv_arena_init(&r->arena, 0);
    iv_arena_init(&r->kept, 0);
    TRY(iv_catalogue_new(&r->catalogue, err));
    TRY(iv_catalogue_freeze(r->catalogue, err));
    TRY(iv_decoder_new(&r->decoder, r->catalogue, &LIMITS, (struct iv_hash_key){0, 0}, err));
    *out = TAKE(r);
    return IV_OK;
}

void iv_evidence_replay_free(struct iv_evidence_replay *r)
{
    if (r != NULL) {
        iv_decoder_free(r->decoder);
        iv_catalogue_free(r->catalogue);
        iv_arena_deinit(&r->arena);
        iv_arena_deinit(&r->kept);
        iv_free(r->told);
        iv_free(r->found);
        iv_free(r);
    }
}

void iv_evidence_replay_freep(struct iv_evidence_replay **replay)
{
    iv_evidence_replay_free(*replay);
}

/* Room for one more. */
static bool grow(void **items, size_t *room, size_t count, size_t size)
{
    if (count < *room) {
        return true;
    }
    size_t more = *room == 0 ? 256 : 2 * *room;
    void *grown = iv_realloc(*items, more * size);
    if (grown != NULL) {
        *items = grown;
        *room = more;
    }
    return grown != NULL;
}

static bool has_baseline(const struct iv_evidence_replay *r, struct iv_str digest)
{
    for (size_t i = 0; i < r->baseline_count; i++) {
        if (iv_str_eq(r->baselines[i].digest, digest)) {
            return true;
        }
    }
    return false;
}

static iv_rc take_baseline(struct iv_evidence_replay *r, const struct iv_bundle_leaf *leaf,
                           struct iv_err *err)
{
    if (has_baseline(r, leaf->entry.key)) {
        return IV_OK;
    }
    ENSURE(r->baseline_count < BASELINES_MAX, err, IV_E_REFUSED,
           "more than %d baselines were in force: replay shorter periods", BASELINES_MAX);
    struct iv_str digest = iv_arena_str(&r->kept, leaf->entry.key);
    struct iv_str document = iv_arena_str(&r->kept, leaf->document);
    ENSURE(digest.p != NULL && document.p != NULL, err, IV_E_NOMEM, "no memory left to replay a bundle");
    r->baselines[r->baseline_count].digest = digest;
    r->baselines[r->baseline_count++].document = document;
    return IV_OK;
}

static bool is_violation(enum iv_verdict_kind kind)
{
    return kind == IV_VIOLATED || kind == IV_UPDATED;
}

static iv_rc take_finding(struct iv_evidence_replay *r, const struct iv_bundle_leaf *leaf, struct iv_err *err)
{
    struct iv_told_finding finding;
    void *room = r->told;
    iv_arena_reset(&r->arena);
    TRY(iv_told_finding_read(&finding, r->decoder, r->catalogue, &r->arena, leaf->document, 0, err));
    if (iv_own_is(finding.row.rule)) {
        return IV_OK; /* no record shows it */
    }
    bool fits = grow(&room, &r->told_room, r->told_count, sizeof *r->told);
    r->told = room;
    struct told t = {.rule = iv_arena_str(&r->kept, finding.row.rule),
                     .baseline = iv_arena_str(&r->kept, finding.baseline),
                     .violation = is_violation(finding.row.kind),
                     .number = r->told_count};
    ENSURE(fits && t.rule.p != NULL && t.baseline.p != NULL, err, IV_E_NOMEM,
           "no memory left to replay a bundle");
    memcpy(t.uid, finding.verdict.uid, sizeof t.uid);
    r->told[r->told_count++] = t;
    return IV_OK;
}

iv_rc iv_evidence_replay_take(void *ctx, const struct iv_bundle_leaf *leaf, struct iv_err *err)
{
    switch (leaf->entry.kind) {
    case IV_LEAF_BASELINE:
        return take_baseline(ctx, leaf, err);
    case IV_LEAF_FINDING:
        return take_finding(ctx, leaf, err);
    default:
        return IV_OK;
    }
}

static int told_order(const void *a, const void *b)
{
    const struct told *x = a;
    const struct told *y = b;
    int c = memcmp(x->uid, y->uid, sizeof x->uid);
    return c != 0 ? c : (x->number > y->number) - (x->number < y->number);
}

static int by_uid(const void *key, const void *item)
{
    return memcmp(key, item, IV_UID_BYTES);
}

/* One of each uid: the last. In order of the uids. */
static void settle_told(struct iv_evidence_replay *r)
{
    size_t kept = 0;
    if (r->told_count > 0) {
        qsort(r->told, r->told_count, sizeof *r->told, told_order);
    }
    for (size_t i = 0; i < r->told_count; i++) {
        bool last = i + 1 == r->told_count || memcmp(r->told[i].uid, r->told[i + 1].uid, IV_UID_BYTES) != 0;
        if (last) {
            r->told[kept++] = r->told[i];
        }
    }
    r->told_count = kept;
}

static iv_rc note_found(struct iv_evidence_replay *r, const struct iv_line *line, struct iv_err *err)
{
    void *room = r->found;
    bool fits = grow(&room, &r->found_room, r->found_count, sizeof *r->found);
    r->found = room;
    struct found f = {.rule = iv_arena_str(&r->kept, line->rule)};
    ENSURE(fits && f.rule.p != NULL, err, IV_E_NOMEM, "no memory left to replay a bundle");
    memcpy(f.uid, line->uid, sizeof f.uid);
    r->found[r->found_count++] = f;
    return IV_OK;
}

static struct told *told_of(struct iv_evidence_replay *r, const struct iv_line *line)
{
    return r->told_count == 0 ? NULL : bsearch(line->uid, r->told, r->told_count, sizeof *r->told, by_uid);
}

static bool says(const struct iv_line *line, const char *word)
{
    return memmem(line->text.p, line->text.n, word, strlen(word)) != NULL;
}

/* What one baseline found: agreed with where the bundle says that it found it. */
static iv_rc compare(struct iv_evidence_replay *r, const struct iv_replay_output *output,
                     struct iv_str digest, iv_ns from, iv_ns until, struct iv_err *err)
{
    for (size_t i = 0; i < output->findings.count; i++) {
        const struct iv_line *line = &output->findings.items[i];
        struct told *t = told_of(r, line);
        if (line->time < from || line->time >= until || says(line, "\"contradicted\":true")) {
            continue;
        }
        if (t == NULL) {
            TRY(note_found(r, line, err));
        } else if (iv_str_eq(t->baseline, digest)) {
            t->agreed = true;
        }
    }
    for (size_t i = 0; i < output->undecided.count; i++) {
        struct told *t = told_of(r, &output->undecided.items[i]);
        if (t != NULL && iv_str_eq(t->baseline, digest)) {
            t->open = says(&output->undecided.items[i], "\"verdict\":\"open\"");
        }
    }
    return IV_OK;
}

static iv_rc read_all(struct iv_replay_core *core, struct iv_replay_input *input, struct iv_err *err)
{
    const struct iv_record *record = NULL;
    for (;;) {
        iv_ns time = IV_NS_MIN;
        if (!iv_replay_input_at_hand(input)) {
            TRY(iv_replay_core_judge(core, err)); /* before what its events point to is gone */
        }
        TRY(iv_replay_input_next(input, &record, err));
        if (record == NULL) {
            TRY(iv_replay_core_end(core, err));
            TRY(iv_lines_settle(&core->output.undecided, err));
            return iv_lines_settle(&core->output.findings, err);
        }
        TRY(iv_replay_core_record(core, record, &time, err));
        iv_replay_input_saw(input, time);
    }
}

static iv_rc judge_under(struct iv_evidence_replay *r, size_t which, const struct iv_words files[IV_STREAMS],
                         iv_ns from, iv_ns until, struct iv_err *err)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_replay_input_closep) struct iv_replay_input *input = NULL;
    IV_AUTO(iv_replay_core_close) struct iv_replay_core core = {.baseline = NULL};
    iv_ns lateness[IV_STREAMS];
    struct iv_str digest = r->baselines[which].digest;
    TRY(iv_evidence_baseline(&baseline, r->decoder, r->baselines[which].document, digest, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        lateness[s] = baseline->streams[s].lateness;
    }
    const struct iv_replay_core_options options = {
        .loaded = baseline,
        .evaluate = true,
        .verifiers = iv_verify_threads_default(),
        .format = IV_REPLAY_BRIEF,
        .modes = {.sort = true},
        .paths = {.findings = "/dev/null", .undecided = "/dev/null"}};
    TRY(iv_replay_core_open(&core, &options, err));
    TRY(iv_replay_core_partitions(&core, files, err));
    TRY(iv_replay_input_open(&input, files, lateness, err));
    TRY(read_all(&core, input, err));
    return compare(r, &core.output, digest, from, until, err);
}

static void set_example(struct iv_evidence_verdicts *out, const unsigned char uid[IV_UID_BYTES],
                        struct iv_str rule, const char *what)
{
    char hex[2 * IV_UID_BYTES + 1];
    struct iv_buf text;
    iv_buf_init_lent(&text, hex, sizeof hex, sizeof hex - 1);
    iv_hex_encode(&text, (struct iv_str){(const char *)uid, IV_UID_BYTES});
    (void)snprintf(out->example, sizeof out->example, "%.*s of rule %.*s %s", (int)text.n, hex,
                   (int)(rule.n < 48 ? rule.n : 48), rule.p, what);
}

static int found_order(const void *a, const void *b)
{
    return memcmp(((const struct found *)a)->uid, ((const struct found *)b)->uid, IV_UID_BYTES);
}

/* What every baseline finds must be there; what only some do was perhaps judged under another. */
static void count_missing(struct iv_evidence_verdicts *out, struct iv_evidence_replay *r)
{
    if (r->found_count > 0) {
        qsort(r->found, r->found_count, sizeof *r->found, found_order);
    }
    for (size_t i = 0, same = 1; i < r->found_count; i++) {
        const struct found *f = &r->found[i];
        bool last = i + 1 == r->found_count || memcmp(f->uid, f[1].uid, IV_UID_BYTES) != 0;
        if (last && same == r->baseline_count) {
            out->missing++;
            set_example(out, f->uid, f->rule, "is found in the records, and not in the bundle");
        }
        same = last ? 1 : same + 1;
    }
}

iv_rc iv_evidence_replay_run(struct iv_evidence_verdicts *out, struct iv_evidence_replay *r,
                             const struct iv_words files[IV_STREAMS], iv_ns from, iv_ns until,
                             struct iv_err *err)
{
    *out = (struct iv_evidence_verdicts){.baselines = r->baseline_count};
    ENSURE(r->baseline_count > 0, err, IV_E_REFUSED, "the bundle has no baseline to judge the records under");
    settle_told(r);
    for (size_t i = 0; i < r->baseline_count; i++) {
        TRY(judge_under(r, i, files, from, until, err));
    }
    count_missing(out, r);
    for (size_t i = 0; i < r->told_count; i++) {
        const struct told *t = &r->told[i];
        out->agreed += t->violation && t->agreed;
        out->open += t->violation && !t->agreed && t->open;
        out->inconclusive += !t->violation && t->agreed;
        if (t->violation && !has_baseline(r, t->baseline)) {
            out->elsewhere++;
        } else if (t->violation && !t->agreed && !t->open) {
            out->invented++;
            set_example(out, t->uid, t->rule, "is in the bundle, and not found in the records");
        }
    }
    return IV_OK;
}
