/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/shipped.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "fleet/expected.h"
#include "fleet/fleet.h"
#include "fleet/quota.h"
#include "fleet/sink.h"

#include <stdio.h>
#include <sys/stat.h>

#define KEYS_MAX_BYTES ((size_t)64 * 1024)
#define RULES_MAX_BYTES ((size_t)4096)

struct simulate_args {
    int64_t agents;
    int64_t events;
    int64_t seed;
    double violations;
    const char *out;
    const char *brokers;
    const char *start;
    bool live;
};

static iv_rc choose_start(iv_ns *out, const struct simulate_args *a, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_instant start;
    if (a->start == NULL && a->brokers != NULL) {
        *out = iv_wall(&clock);
        return IV_OK;
    }
    struct iv_str text = a->start == NULL ? IV_STR("2026-01-01T00:00:00Z") : iv_str_of(a->start);
    ENSURE(iv_instant_parse(&start, text) && iv_instant_to_ns(out, start), err, IV_E_REFUSED,
           "--start must be an RFC 3339 time such as 2026-01-01T00:00:00Z, got '" IV_STR_FMT "'",
           IV_STR_ARG(text));
    return IV_OK;
}

static void wait_until(iv_ns wall)
{
    struct iv_clock clock = iv_clock_system();
    iv_pause(wall - iv_wall(&clock));
}

static iv_rc generate(struct iv_fleet *fleet, struct iv_sim_sink *sink, struct iv_sim_expected *expected,
                      const struct simulate_args *a, struct iv_err *err)
{
    struct iv_fleet_event event;
    for (int64_t done = 0; done < a->events; done++) {
        TRY(iv_fleet_next(fleet, &event, err));
        if (a->live) {
            wait_until(event.arrival);
        }
        TRY(sink->put(sink->self, &event, err));
        iv_sim_expected_pass(expected, iv_fleet_time(fleet));
    }
    TRY(sink->finish(sink->self, err));
    return iv_sim_expected_close(expected, iv_fleet_time(fleet), err);
}

static void tell(const struct iv_sim_expected *expected, const struct simulate_args *a)
{
    struct iv_buf rules;
    iv_buf_init(&rules, RULES_MAX_BYTES);
    iv_buf_char(&rules, ' ');
    iv_sim_expected_tell(&rules, expected);
    (void)fprintf(stderr, "simulate: events=%lld planted=%zu%s\n", (long long)a->events,
                  iv_sim_expected_count(expected), iv_buf_failed(&rules) || rules.n == 1 ? "" : rules.p);
    iv_buf_deinit(&rules);
}

static iv_rc expect(struct iv_sim_expected **out, const struct simulate_args *a, struct iv_err *err)
{
    char path[4096];
    if (a->out == NULL) {
        return iv_sim_expected_new(out, NULL, err);
    }
    int n = snprintf(path, sizeof path, "%s/expected.ndjson", a->out);
    ENSURE(n > 0 && (size_t)n < sizeof path, err, IV_E_REFUSED, "the path of '%s' is too long", a->out);
    return iv_sim_expected_new(out, path, err);
}

static iv_rc write_baseline(const struct iv_fleet *fleet, const char *folder, struct iv_err *err)
{
    struct iv_buf keys;
    iv_buf_init(&keys, KEYS_MAX_BYTES);
    struct iv_rc_s rc = iv_fleet_keys_yaml(&keys, fleet, err);
    if (iv_ok(rc)) {
        rc = iv_shipped_write(folder, iv_buf_slice(&keys), err);
    }
    iv_buf_deinit(&keys);
    return rc;
}

static iv_rc simulate_into(struct iv_sim_sink *sink, const struct simulate_args *a, struct iv_err *err)
{
    struct iv_fleet_options options = {
        .seed = (uint64_t)a->seed,
        .agents = (unsigned)a->agents,
        .violations = a->violations,
        .events = (uint64_t)a->events,
        .history = !a->live,
    };
    TRY(choose_start(&options.start, a, err));
    IV_AUTO(iv_sim_expected_freep) struct iv_sim_expected *expected = NULL;
    TRY(expect(&expected, a, err));
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    TRY(iv_fleet_new(&fleet, &options, iv_sim_expected_add, expected, err));
    if (a->out != NULL) {
        TRY(write_baseline(fleet, a->out, err));
    }
    TRY(generate(fleet, sink, expected, a, err));
    tell(expected, a);
    return IV_OK;
}

static int simulate_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    const struct simulate_args *a = args;
    (void)words;
    if ((a->out == NULL) == (a->brokers == NULL)) {
        return iv_exit_of(iv_err_set(err, IV_E_REFUSED, "%s of --out DIR and --brokers LIST is required",
                                     a->out == NULL ? "one" : "only one"));
    }
    struct iv_sim_sink sink = {.self = NULL};
    if (a->out != NULL) {
        (void)mkdir(a->out, 0755); /* where that fails, creating the files tells why */
    }
    struct iv_rc_s rc =
        a->out != NULL ? iv_sim_files(&sink, a->out, err) : iv_sim_topics(&sink, a->brokers, err);
    if (iv_ok(rc)) {
        rc = simulate_into(&sink, a, err);
        sink.free(sink.self);
    }
    return iv_exit_of(rc);
}

#define OFFSET(member) offsetof(struct simulate_args, member)
static const struct iv_flag simulate_flags[] = {
    {.name = "agents",
     .kind = IV_FLAG_INT,
     .value = "N",
     .offset = OFFSET(agents),
     .required = true,
     .min = 1,
     .max = 10000000,
     .doc = "How many agents there are; each makes about 1.6 events a second."},
    {.name = "events",
     .kind = IV_FLAG_INT,
     .value = "N",
     .offset = OFFSET(events),
     .required = true,
     .min = 1,
     .max = 1e15,
     .doc = "How many events there are in all."},
    {.name = "seed",
     .kind = IV_FLAG_INT,
     .value = "S",
     .offset = OFFSET(seed),
     .required = true,
     .doc = "The same seed gives the same bytes."},
    {.name = "violations",
     .kind = IV_FLAG_REAL,
     .value = "RATE",
     .offset = OFFSET(violations),
     .min = 0,
     .max = 1,
     .doc = "Planted violations for each event; above 0.3 it is 0.3 [0.001]."},
    {.name = "out",
     .kind = IV_FLAG_TEXT,
     .value = "DIR",
     .offset = OFFSET(out),
     .doc = "Writes ledger.ndjson, telemetry.ndjson, the baseline and expected.ndjson there."},
    {.name = "brokers",
     .kind = IV_FLAG_TEXT,
     .value = "LIST",
     .offset = OFFSET(brokers),
     .doc = "Sends to the topics ledger and telemetry there."},
    {.name = "start",
     .kind = IV_FLAG_TEXT,
     .value = "TIME",
     .offset = OFFSET(start),
     .doc = "Event time of the beginning [2026-01-01T00:00:00Z; with --brokers: now]."},
    {.name = "live",
     .kind = IV_FLAG_BOOL,
     .offset = OFFSET(live),
     .doc = "Paces by the clock: each event when its time has come."},
};

static const struct simulate_args simulate_defaults = {.violations = 0.001};

const struct iv_command iv_command_simulate = {
    .name = "simulate",
    .synopsis = "--agents N --events N --seed S [--violations RATE] (--out DIR | --brokers LIST)",
    .doc = "A realistic fleet, with planted violations: chain hashes and signed receipts included.",
    .details =
        "With --out, 'invigil replay --baseline DIR --ledger DIR/ledger.ndjson --telemetry "
        "DIR/telemetry.ndjson'\n"
        "finds what expected.ndjson lists, and nothing else.\n\n"
        "Each rule that ships is violated in its turn: with some sixty violations, in a thousand events\n"
        "and twenty seconds or more, each at least once. What takes longer to be certain than the stream\n"
        "lasts (a key that is not rotated in 90 days) is planted so long before --start, and comes first;\n"
        "with --live it is left out.",
    .flags = simulate_flags,
    .flag_count = IV_COUNT(simulate_flags),
    .args_size = sizeof(struct simulate_args),
    .defaults = &simulate_defaults,
    .run = simulate_run,
};
