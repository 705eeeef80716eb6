/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/evidence_period.h"
#include "base/file.h"
#include "base/guard.h"
#include "event/note.h"
#include "evidence/bundle.h"
#include "evidence/reader.h"

#include <inttypes.h>
#include <stdio.h>

#define BUNDLE_MODE 0640

struct export_args {
    const char *store;
    const char *from;
    const char *to;
    const char *out;
    const char *since;
};

static iv_rc make(struct iv_bundle_made *made, const struct export_args *a, struct iv_err *err)
{
    struct iv_bundle_order order = {.since = {NULL, 0}};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    IV_AUTO(iv_buf_deinit) struct iv_buf since;
    IV_AUTO(iv_buf_deinit) struct iv_buf bundle;
    iv_buf_init(&since, IV_NOTE_BYTES);
    iv_buf_init(&bundle, IV_BUNDLE_MAX_BYTES);
    TRY(iv_evidence_period(&order.from, &order.until, a->from, a->to, err));
    if (a->since != NULL) {
        TRY(iv_file_read(&since, iv_str_of(a->since), err));
        order.since = iv_buf_slice(&since);
    }
    TRY(iv_reader_open(&reader, iv_str_of(a->store), err));
    TRY(iv_bundle_make(&bundle, made, reader, &order, err));
    return iv_file_create(a->out, BUNDLE_MODE, iv_buf_slice(&bundle), err);
}

static int export_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    const struct export_args *a = args;
    struct iv_bundle_made made;
    (void)words;
    struct iv_rc_s rc = make(&made, a, err);
    if (!iv_ok(rc)) {
        return iv_exit_of(rc);
    }
    printf("%s: %" PRIu64 " findings and %" PRIu64 " other documents, %" PRIu64 " of the log's %" PRIu64
           " entries\n",
           a->out, made.findings, made.documents - made.findings, made.leaves, made.size);
    if (!made.is_signed) {
        (void)fprintf(stderr,
                      "invigil evidence export: the log is not signed (signing_key_file), so nothing shows "
                      "whose it is\n");
    } else if (made.later > 0) {
        (void)fprintf(stderr,
                      "invigil evidence export: %" PRIu64 " entries are not signed yet, and are left out\n",
                      made.later);
    }
    return IV_EXIT_DONE;
}

#define AT(member) offsetof(struct export_args, member)

static const struct iv_flag flags[] = {
    IV_EVIDENCE_PERIOD_FLAGS(AT),
    {.name = "out",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = AT(out),
     .required = true,
     .doc = "where the bundle goes; a file that is there already stays as it is"},
    {.name = "since",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = AT(since),
     .doc = "an older checkpoint of the log, to be proven continued"},
};

extern const struct iv_command iv_command_evidence_export;
const struct iv_command iv_command_evidence_export = {
    .name = "evidence export",
    .synopsis = "--store PATH --from TIME --to TIME --out FILE [--since FILE]",
    .doc = "Writes what was recorded of a period, with the proofs.",
    .details = "A bundle has the findings about events of the period, what was done, the coverage, the "
               "baselines that\n"
               "were in force, and the entries of the monitor's own log that show that nothing is missing.",
    .flags = flags,
    .flag_count = IV_COUNT(flags),
    .args_size = sizeof(struct export_args),
    .run = export_run,
};
