/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded streams to violations, offline: the engine that the daemon runs, over files. */
#include "app/command.h"
#include "app/replay_changes.h"
#include "app/replay_core.h"
#include "app/replay_input.h"
#include "base/clock.h"
#include "base/guard.h"
#include "judge/verify.h"

#include <inttypes.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct replay_args {
    const char *baseline;
    struct iv_words ledger;
    struct iv_words telemetry;
    const char *format;
    bool sort;
    const char *undecided;
    const char *dead_letter;
    const char *against;
    bool decode_only;
    int64_t verifiers;
};

struct replay {
    struct iv_replay_core cores[2]; /* of --baseline, and of --against */
    size_t count;
    struct iv_replay_input *input;
    struct iv_clock clock;
    iv_ns began;
    iv_ns shown; /* progress; IV_NS_MAX: not shown */
    uint64_t records;
};

#define PROGRESS_RECORDS 4096
#define PROGRESS_PERIOD (250 * IV_NS_PER_MS)

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
    (void)fprintf(stderr, "%" PRIu64 " events, %.0f/s", r->cores[0].events, (double)r->records / seconds(r));
    double share = iv_replay_input_share(r->input);
    if (share >= 0) {
        (void)fprintf(stderr, ", %.0f %%", 100 * share);
    }
    if (r->cores[0].judge != NULL) {
        struct iv_engine_stats stats;
        iv_judge_stats(r->cores[0].judge, &stats);
        (void)fprintf(stderr, ", %" PRIu64 " violations", stats.verdicts[IV_VIOLATED]);
    }
}

static void clear_progress(const struct replay *r)
{
    if (r->shown != IV_NS_MAX && r->shown != r->began) {
        (void)fprintf(stderr, "\r\033[K");
    }
}

static iv_rc one_record(struct replay *r, const struct iv_record *record, struct iv_err *err)
{
    iv_ns time = IV_NS_MIN;
    for (size_t i = 0; i < r->count; i++) {
        TRY(iv_replay_core_record(&r->cores[i], record, &time, err));
    }
    iv_replay_input_saw(r->input, time);
    return IV_OK;
}

static iv_rc judge_pending(struct replay *r, struct iv_err *err)
{
    for (size_t i = 0; i < r->count; i++) {
        TRY(iv_replay_core_judge(&r->cores[i], err));
    }
    return IV_OK;
}

static iv_rc read_all(struct replay *r, struct iv_err *err)
{
    const struct iv_record *record = NULL;
    for (;;) {
        if (!iv_replay_input_at_hand(r->input)) {
            TRY(judge_pending(r, err));
        }
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
    for (size_t i = 0; i < r->count; i++) {
        TRY(iv_replay_core_end(&r->cores[i], err));
    }
    return IV_OK;
}

static void sum_up(const struct replay *r)
{
    const struct iv_replay_core *core = &r->cores[0];
    struct iv_engine_stats stats = {.late = 0};
    if (core->judge != NULL) {
        iv_judge_stats(core->judge, &stats);
    }
    struct rusage usage;
    double peak_mib = getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024 : 0;
    double took = seconds(r);
    (void)fprintf(stderr,
                  "replay: events=%" PRIu64 " violations=%" PRIu64 " undecided=%" PRIu64
                  " dead_letters=%" PRIu64 " late=%" PRIu64
                  " seconds=%.3f events/s=%.0f peak_memory=%.1fMiB\n",
                  core->events, core->output.violations, core->output.undecided_count,
                  core->output.dead_letter_count, stats.late, took, (double)core->events / took, peak_mib);
}

static void deinit(struct replay *r)
{
    for (size_t i = 0; i < r->count; i++) {
        iv_replay_core_close(&r->cores[i]);
    }
    iv_replay_input_close(r->input);
}

static iv_rc open_core(struct replay *r, const struct iv_replay_core_options *options,
                       const struct iv_words files[IV_STREAMS], struct iv_err *err)
{
    struct iv_replay_core *core = &r->cores[r->count++];
    TRY(iv_replay_core_open(core, options, err));
    return iv_replay_core_partitions(core, files, err);
}

static iv_rc prepare(struct replay *r, const struct replay_args *a, enum iv_replay_format format,
                     struct iv_err *err)
{
    const struct iv_words files[IV_STREAMS] = {[IV_LEDGER] = a->ledger, [IV_TELEMETRY] = a->telemetry};
    bool compare = a->against != NULL;
    struct iv_replay_core_options options = {
        .baseline = a->baseline,
        .evaluate = !a->decode_only,
        .verifiers = a->verifiers >= 0 ? (unsigned)a->verifiers : iv_verify_threads_default(),
        .format = compare && format == IV_REPLAY_OCSF ? IV_REPLAY_BRIEF : format,
        .modes = {.sort = a->sort, .compare = compare},
        .paths = {.findings = a->decode_only ? NULL : "-",
                  .undecided = a->undecided,
                  .dead_letters = a->dead_letter}};
    TRY(open_core(r, &options, files, err));
    if (compare) {
        options.baseline = a->against;
        options.paths = (struct iv_replay_paths){.findings = "-"};
        TRY(open_core(r, &options, files, err));
    }
    const struct iv_baseline *baseline = r->cores[0].baseline;
    iv_ns lateness[IV_STREAMS] = {0, 0};
    for (size_t s = 0; baseline != NULL && s < IV_STREAMS; s++) {
        lateness[s] = baseline->streams[s].lateness;
    }
    return iv_replay_input_open(&r->input, files, lateness, err);
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

/* Opening a file to write empties it, and what was recorded must not be lost to a slip of the hand. */
static iv_rc check_output(const char *flag, const char *path, const struct replay_args *a, struct iv_err *err)
{
    const struct iv_words *const inputs[] = {&a->ledger, &a->telemetry};
    struct stat written;
    if (path == NULL || stat(path, &written) != 0 || !S_ISREG(written.st_mode)) {
        return IV_OK;
    }
    for (size_t s = 0; s < IV_COUNT(inputs); s++) {
        for (size_t i = 0; i < inputs[s]->count; i++) {
            struct stat read;
            bool same = stat(inputs[s]->items[i], &read) == 0 && read.st_dev == written.st_dev &&
                        read.st_ino == written.st_ino;
            ENSURE(!same, err, IV_E_REFUSED, "--%s must be another file than those that are read, got '%s'",
                   flag, path);
        }
    }
    return IV_OK;
}

static iv_rc check_args(enum iv_replay_format *format, const struct replay_args *a, struct iv_err *err)
{
    TRY(choose_format(format, a->format, err));
    ENSURE(a->baseline != NULL || a->decode_only, err, IV_E_REFUSED,
           "--baseline DIR is needed (only --decode-only can do without)");
    ENSURE(a->against == NULL || !a->decode_only, err, IV_E_REFUSED,
           "--against compares verdicts, and --decode-only makes none");
    TRY(check_output("undecided", a->undecided, a, err));
    return check_output("dead-letter", a->dead_letter, a, err);
}

/* Writes what is due at the end, of what was found before a failure too; *found is whether there was
 * anything. */
static iv_rc conclude(struct replay *r, bool *found, bool complete, bool table, struct iv_err *err)
{
    struct iv_replay_output *output = &r->cores[0].output;
    TRY(iv_replay_output_finish(output, err));
    *found = output->violations > output->suppressed;
    if (r->count == 2 && complete) {
        uint64_t changes = 0;
        TRY(iv_replay_changes(&changes, &output->findings, &r->cores[1].output.findings, table, stdout, err));
        *found = changes > 0;
    }
    return IV_OK;
}

static int replay_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    (void)words;
    const struct replay_args *a = args;
    enum iv_replay_format format = IV_REPLAY_OCSF;
    struct iv_rc_s rc = check_args(&format, a, err);
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    IV_AUTO(deinit) struct replay r = {.clock = iv_clock_system(), .shown = IV_NS_MAX};
    rc = prepare(&r, a, format, err);
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    r.began = iv_monotonic(&r.clock);
    if (isatty(STDERR_FILENO)) {
        r.shown = r.began;
    }
    struct iv_err second; /* the first failure is the one that is told */
    rc = read_all(&r, err);
    for (size_t i = 0; !iv_ok(rc) && i < r.count; i++) {
        (void)iv_ok(iv_replay_core_settle(&r.cores[i], &second));
    }
    clear_progress(&r);
    bool found = false;
    bool complete = iv_ok(rc);
    struct iv_rc_s written =
        conclude(&r, &found, complete, format == IV_REPLAY_TABLE, complete ? err : &second);
    sum_up(&r);
    rc = complete ? written : rc;
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    return found ? IV_EXIT_FOUND : IV_EXIT_DONE;
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
    {.name = "against",
     .kind = IV_FLAG_TEXT,
     .value = "DIR",
     .offset = AT(against),
     .doc = "a second baseline: prints the violations gained and lost by it, by rule, instead"},
    {.name = "decode-only",
     .kind = IV_FLAG_BOOL,
     .offset = AT(decode_only),
     .doc = "reads and decodes, evaluates nothing"},
    {.name = "verifiers",
     .kind = IV_FLAG_INT,
     .value = "N",
     .offset = AT(verifiers),
     .max = IV_VERIFY_THREADS_MAX,
     .doc = "threads that verify signatures beside the other rules; default: a processor each, less one"},
};

static const struct replay_args defaults = {.format = "ocsf", .verifiers = -1};

const struct iv_command iv_command_replay = {
    .name = "replay",
    .synopsis = "--baseline DIR [--ledger FILE]… [--telemetry FILE]…",
    .doc = "Finds the violations in recorded streams.",
    .details =
        "Files hold one event a line (NDJSON); .gz and .zst are read as they are. The violations go to\n"
        "standard output, one line with the figures to standard error. Exit status: 0 no violations,\n"
        "1 failed, 2 refused, 3 violations were found (waived ones do not count), or with --against\n"
        "a change.",
    .flags = flags,
    .flag_count = IV_COUNT(flags),
    .args_size = sizeof(struct replay_args),
    .defaults = &defaults,
    .run = replay_run,
};
