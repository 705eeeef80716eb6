/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded streams to violations, offline: the engine that the daemon runs, over files. */
#include "app/command.h"
#include "app/load.h"
#include "app/replay_input.h"
#include "app/replay_output.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "event/decode.h"

#include <inttypes.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

struct replay_args {
    const char *baseline;
    struct iv_words ledger;
    struct iv_words telemetry;
    const char *format;
    bool sort;
    const char *undecided;
    const char *dead_letter;
    bool decode_only;
};

struct replay {
    struct iv_baseline *baseline;   /* NULL: none, with --decode-only */
    struct iv_catalogue *catalogue; /* the built-in one, without a baseline */
    struct iv_decoder *decoder;
    struct iv_engine *engine; /* NULL: --decode-only */
    struct iv_replay_input *input;
    struct iv_replay_output output;
    struct iv_arena arena; /* of one event */
    struct iv_clock clock;
    iv_ns began;
    iv_ns shown; /* progress; IV_NS_MAX: not shown */
    uint64_t events;
    uint64_t records;
};

#define PROGRESS_RECORDS 4096
#define PROGRESS_PERIOD (250 * IV_NS_PER_MS)

static void complain(void *ctx, const struct iv_rule *rule, const struct iv_event *event,
                     const struct iv_err *why)
{
    (void)ctx;
    LOG_WARN("rule.expression_failed", KV_STR("rule", rule->id),
             KV_STR("source", iv_event_attr(event, IV_ATTR_SOURCE)),
             KV_STR("id", iv_event_attr(event, IV_ATTR_ID)), KV_TEXT("text", why->text));
}

static double seconds(const struct replay *r)
{
    double s = (double)(iv_monotonic(&r->clock) - r->began) / (double)IV_NS_PER_S;
    return s > 0 ? s : 1e-9;
}

/* On a terminal only, and never in the middle of what is written to standard output there. */
static void show_progress(struct replay *r)
{
    iv_ns now = iv_monotonic(&r->clock);
    if (r->shown == IV_NS_MAX || now - r->shown < PROGRESS_PERIOD) {
        return;
    }
    r->shown = now;
    (void)fprintf(stderr, "\r\033[K");
    (void)fflush(stdout);
    (void)fprintf(stderr, "%" PRIu64 " events, %.0f/s", r->events, (double)r->records / seconds(r));
    double share = iv_replay_input_share(r->input);
    if (share >= 0) {
        (void)fprintf(stderr, ", %.0f %%", 100 * share);
    }
    (void)fprintf(stderr, ", %" PRIu64 " violations", r->output.violations);
}

static void clear_progress(const struct replay *r)
{
    if (r->shown != IV_NS_MAX && r->shown != r->began) {
        (void)fprintf(stderr, "\r\033[K");
    }
}

static iv_rc make_core(struct replay *r, const struct replay_args *a, struct iv_err *err)
{
    const struct iv_catalogue *catalogue = NULL;
    if (r->baseline != NULL) {
        catalogue = r->baseline->catalogue;
    } else {
        TRY(iv_catalogue_new(&r->catalogue, err));
        TRY(iv_catalogue_freeze(r->catalogue, err));
        catalogue = r->catalogue;
    }
    struct iv_hash_key key = iv_hash_key_random();
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    TRY(iv_decoder_new(&r->decoder, catalogue, &limits, key, err));
    if (a->decode_only) {
        return IV_OK;
    }
    const struct iv_engine_options options = {.verdict = iv_replay_output_verdict,
                                              .complaint = complain,
                                              .ctx = &r->output,
                                              .digests = r->output.format == IV_REPLAY_OCSF,
                                              .hash_key = key};
    return iv_engine_new(&r->engine, r->baseline, &options, err);
}

static iv_rc open_partitions(struct replay *r, const struct iv_words files[IV_STREAMS], struct iv_err *err)
{
    for (size_t s = 0; r->engine != NULL && s < IV_STREAMS; s++) {
        for (size_t i = 0; i < files[s].count; i++) {
            TRY(iv_engine_open(r->engine, (enum iv_stream)s, (int32_t)i, err));
        }
    }
    return IV_OK;
}

static iv_rc one_record(struct replay *r, const struct iv_record *record, struct iv_err *err)
{
    struct iv_event event;
    iv_arena_reset(&r->arena);
    struct iv_rc_s rc = iv_decode(r->decoder, record, &r->arena, &event, err);
    if (rc.code == IV_E_MALFORMED) {
        iv_replay_output_dead_letter(&r->output, record, iv_str_of(err->text));
        return IV_OK;
    }
    TRY(rc);
    r->events++;
    iv_replay_input_saw(r->input, event.time);
    return r->engine == NULL ? IV_OK : iv_engine_event(r->engine, &event, err);
}

static iv_rc read_all(struct replay *r, struct iv_err *err)
{
    const struct iv_record *record = NULL;
    for (;;) {
        TRY(iv_replay_input_next(r->input, &record, err));
        if (record == NULL) {
            break;
        }
        TRY(one_record(r, record, err));
        if (++r->records % PROGRESS_RECORDS == 0) {
            show_progress(r);
        }
    }
    /* Only here: after a failure the end of input is not known, and what is undecided stays so. */
    return r->engine == NULL ? IV_OK : iv_engine_finish(r->engine, err);
}

static void sum_up(const struct replay *r)
{
    struct iv_engine_stats stats = {.late = 0};
    if (r->engine != NULL) {
        iv_engine_stats(r->engine, &stats);
    }
    struct rusage usage;
    double peak_mib = getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
    double took = seconds(r);
    (void)fprintf(stderr,
                  "replay: events=%" PRIu64 " violations=%" PRIu64 " undecided=%" PRIu64
                  " dead_letters=%" PRIu64 " late=%" PRIu64
                  " seconds=%.3f events/s=%.0f peak_memory=%.1fMiB\n",
                  r->events, r->output.violations, r->output.undecided_count, r->output.dead_letter_count,
                  stats.late, took, (double)r->events / took, peak_mib);
}

static void deinit(struct replay *r)
{
    iv_engine_free(r->engine);
    iv_decoder_free(r->decoder);
    iv_catalogue_free(r->catalogue);
    iv_replay_input_close(r->input);
    iv_replay_output_close(&r->output);
    iv_arena_deinit(&r->arena);
    iv_baseline_unref(r->baseline);
}

static iv_rc prepare(struct replay *r, const struct replay_args *a, enum iv_replay_format format,
                     struct iv_err *err)
{
    const struct iv_words files[IV_STREAMS] = {[IV_LEDGER] = a->ledger, [IV_TELEMETRY] = a->telemetry};
    iv_ns lateness[IV_STREAMS] = {0, 0};
    if (a->baseline != NULL) {
        TRY(iv_load_baseline(&r->baseline, NULL, iv_str_of(a->baseline), err));
        lateness[IV_LEDGER] = r->baseline->streams[IV_LEDGER].lateness;
        lateness[IV_TELEMETRY] = r->baseline->streams[IV_TELEMETRY].lateness;
    }
    TRY(iv_replay_input_open(&r->input, files, lateness, err));
    const struct iv_replay_paths paths = {
        .findings = a->decode_only ? NULL : "-", .undecided = a->undecided, .dead_letters = a->dead_letter};
    TRY(iv_replay_output_open(&r->output, format, a->sort, &paths, r->baseline, err));
    TRY(make_core(r, a, err));
    return open_partitions(r, files, err);
}

static iv_rc choose_format(enum iv_replay_format *out, const char *name, struct iv_err *err)
{
    static const char *const names[] = {"ocsf", "brief", "table"};
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum iv_replay_format)i;
            return IV_OK;
        }
    }
    return iv_err_set(err, IV_E_REFUSED, "--format must be ocsf, brief or table, got '%s'", name);
}

static int replay_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    (void)words;
    const struct replay_args *a = args;
    enum iv_replay_format format = IV_REPLAY_OCSF;
    struct iv_rc_s rc = choose_format(&format, a->format, err);
    if (iv_ok(rc) && a->baseline == NULL && !a->decode_only) {
        rc = iv_err_set(err, IV_E_REFUSED, "--baseline DIR is needed (only --decode-only can do without)");
    }
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    IV_AUTO(deinit) struct replay r = {.clock = iv_clock_system(), .shown = IV_NS_MAX};
    iv_arena_init(&r.arena, 0);
    rc = prepare(&r, a, format, err);
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    r.began = iv_monotonic(&r.clock);
    if (isatty(STDERR_FILENO)) {
        r.shown = r.began;
    }
    rc = read_all(&r, err);
    clear_progress(&r);
    struct iv_rc_s written = iv_replay_output_finish(&r.output, iv_ok(rc) ? err : NULL);
    sum_up(&r);
    rc = iv_ok(rc) ? written : rc;
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    return r.output.violations > r.output.suppressed ? IV_EXIT_FOUND : IV_EXIT_DONE;
}

#define AT(member) offsetof(struct replay_args, member)

static const struct iv_flag flags[] = {
    {.name = "baseline",
     .kind = IV_FLAG_TEXT,
     .value = "DIR",
     .offset = AT(baseline),
     .doc = "the baseline's folder"},
    {.name = "ledger",
     .kind = IV_FLAG_LIST,
     .value = "FILE",
     .offset = AT(ledger),
     .doc = "a recorded partition of the ledger; may be given several times, - is standard input"},
    {.name = "telemetry",
     .kind = IV_FLAG_LIST,
     .value = "FILE",
     .offset = AT(telemetry),
     .doc = "a recorded partition of the telemetry; likewise"},
    {.name = "format",
     .kind = IV_FLAG_TEXT,
     .value = "FORMAT",
     .offset = AT(format),
     .doc = "of the violations: ocsf (default), brief (both one JSON object a line) or table"},
    {.name = "sort",
     .kind = IV_FLAG_BOOL,
     .offset = AT(sort),
     .doc = "by time, source, id and rule of the trigger, at the end, instead of in order of emission"},
    {.name = "undecided",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = AT(undecided),
     .doc = "writes open and inconclusive obligations there, as brief lines"},
    {.name = "dead-letter",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = AT(dead_letter),
     .doc = "writes malformed records there, with their reason"},
    {.name = "decode-only",
     .kind = IV_FLAG_BOOL,
     .offset = AT(decode_only),
     .doc = "reads and decodes, evaluates nothing"},
};

static const struct replay_args defaults = {.format = "ocsf"};

const struct iv_command iv_command_replay = {
    .name = "replay",
    .synopsis = "--baseline DIR [--ledger FILE]… [--telemetry FILE]…",
    .doc = "Finds the violations in recorded streams.",
    .details =
        "Files hold one event a line (NDJSON); .gz and .zst are read as they are. The violations go to "
        "standard\n"
        "output, one line with the figures to standard error. Exit status: 0 no violations, 1 failed,\n"
        "2 refused, 3 violations were found (waived ones do not count).",
    .flags = flags,
    .flag_count = IV_COUNT(flags),
    .args_size = sizeof(struct replay_args),
    .defaults = &defaults,
    .run = replay_run,
};
