/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/evidence_period.h"
#include "app/evidence_tell.h"
#include "base/guard.h"

#include <stdio.h>

#define REPORT_MAX_BYTES ((size_t)64 << 20)

struct report_args {
    const char *store;
    const char *from;
    const char *to;
    const char *format;
    struct iv_words ledger;
    struct iv_words telemetry;
};

static iv_rc report(struct iv_buf *out, const struct report_args *a, struct iv_err *err)
{
    const struct iv_words files[IV_STREAMS] = {[IV_LEDGER] = a->ledger, [IV_TELEMETRY] = a->telemetry};
    bool json = strcmp(a->format, "json") == 0;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    struct iv_tally tally;
    iv_ns from = 0;
    iv_ns until = 0;
    ENSURE(json || strcmp(a->format, "text") == 0, err, IV_E_REFUSED,
           "--format must be text or json, got '%s'", a->format);
    TRY(iv_evidence_period(&from, &until, a->from, a->to, err));
    TRY(iv_reader_open(&reader, iv_str_of(a->store), err));
    TRY(iv_tally_make(&tally, reader, from, until, files, err));
    if (json) {
        iv_tally_json(out, &tally);
    } else {
        iv_tally_text(out, &tally);
    }
    iv_tally_deinit(&tally);
    return iv_buf_check(out, "a report", err);
}

static int report_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf out;
    (void)words;
    iv_buf_init(&out, REPORT_MAX_BYTES);
    struct iv_rc_s rc = report(&out, args, err);
    if (iv_ok(rc)) {
        printf(IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&out)));
    }
    return iv_exit_of(rc);
}

#define AT(member) offsetof(struct report_args, member)

static const struct iv_flag flags[] = {
    IV_EVIDENCE_PERIOD_FLAGS(AT),
    {.name = "format",
     .kind = IV_FLAG_TEXT,
     .value = "FORMAT",
     .offset = AT(format),
     .doc = "text (default) or json"},
    {.name = "ledger",
     .kind = IV_FLAG_LIST,
     .value = "FILE",
     .offset = AT(ledger),
     .doc = "a recorded partition of the ledger, to count the population in; may be given several times"},
    {.name = "telemetry",
     .kind = IV_FLAG_LIST,
     .value = "FILE",
     .offset = AT(telemetry),
     .doc = "a recorded partition of the telemetry; likewise"},
};

static const struct report_args defaults = {.format = "text"};

extern const struct iv_command iv_command_evidence_report;
const struct iv_command iv_command_evidence_report = {
    .name = "evidence report",
    .synopsis = "--store PATH --from TIME --to TIME [--format FORMAT] [--ledger FILE]… [--telemetry FILE]…",
    .doc = "A period by criterion: what was found, in how much, and how much of the time was seen.",
    .details =
        "A criterion is 'fail' with a violation that nobody waived; 'inconclusive' where something is "
        "undecided or\n"
        "not all of the period was covered; else 'pass' or 'no population', which takes the records, or 'no\n"
        "violation' where nobody counted; 'not testable here' without a rule.",
    .flags = flags,
    .flag_count = IV_COUNT(flags),
    .args_size = sizeof(struct report_args),
    .defaults = &defaults,
    .run = report_run,
};
