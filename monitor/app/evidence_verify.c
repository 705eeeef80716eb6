/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/evidence_replay.h"
#include "base/file.h"
#include "base/guard.h"
#include "event/note.h"
#include "evidence/bundle_check.h"

#include <inttypes.h>
#include <stdio.h>

#define KEY_MAX_BYTES 4096

struct verify_args {
    const char *key;
    const char *since;
    struct iv_words ledger;
    struct iv_words telemetry;
};

static void print_time(iv_ns t)
{
    char room[64];
    struct iv_buf text;
    iv_buf_init_lent(&text, room, sizeof room, sizeof room - 1);
    iv_ns_format(&text, t);
    printf(IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&text)));
}

/* Also what was not asked for: how it could be known. */
static void tell_verdicts(const struct iv_evidence_verdicts *v)
{
    if (v == NULL) {
        printf(
            "- That the findings are right, and all there are to be found: that takes the records that were "
            "judged,\n  with --ledger and --telemetry.\n");
    } else {
        printf("- That these are all the records there were.\n");
        if (v->open > 0) {
            printf("- %" PRIu64 " violations whose deadline is behind the end of these records.\n", v->open);
        }
        if (v->elsewhere > 0) {
            printf("- %" PRIu64
                   " violations that other processes told of, under baselines that are not here.\n",
                   v->elsewhere);
        }
        if (v->inconclusive > 0) {
            printf("- %" PRIu64 " findings that the monitor left undecided: these records decide them.\n",
                   v->inconclusive);
        }
    }
}

/* What holds, and what nobody could know from this. */
static void tell(const struct iv_bundle_facts *f, const struct verify_args *a,
                 const struct iv_evidence_verdicts *v)
{
    printf("The period: from ");
    print_time(f->head.from);
    printf(" until ");
    print_time(f->head.until);
    printf(".\n\nVerified:\n- %" PRIu64 " lines are as they were written.\n", f->lines);
    printf("- The documents are those of the log's entries, and each is proven to be in the log:");
    for (int kind = 0; kind < IV_LEAF_KINDS; kind++) {
        printf("%s %" PRIu64 " %s", kind == 0 ? "" : ",", f->documents[kind],
               iv_leaf_kind_name((enum iv_leaf_kind)kind));
    }
    printf(".\n- Nothing that was recorded since the period began is missing: the last %" PRIu64
           " entries of the log make up\n  its root at %" PRIu64 " entries.\n",
           f->entries, f->head.size);
    if (f->is_signed) {
        printf("- That root is signed by the key of %s.\n", a->key);
    }
    if (f->continues) {
        printf("- The log continues the checkpoint of %s.\n", a->since);
    }
    if (v != NULL) {
        printf("- The violations of the period are those that are found in these records: %" PRIu64
               ", under %" PRIu64 " baseline%s.\n",
               v->agreed, v->baselines, v->baselines == 1 ? "" : "s");
    }
    printf("\nNot verified:\n");
    if (!f->is_signed) {
        printf("- Whose log it is: %s.\n", "that takes --key, with the monitor's public key");
    }
    if (!f->continues) {
        printf("- That the log was not begun anew: that takes --since, with a checkpoint kept elsewhere.\n");
    }
    tell_verdicts(v);
}

/* The records are judged only when the bundle is whole. */
static iv_rc check(const struct verify_args *a, struct iv_str bundle, const struct iv_bundle_trust *trust,
                   struct iv_err *err)
{
    const struct iv_words files[IV_STREAMS] = {[IV_LEDGER] = a->ledger, [IV_TELEMETRY] = a->telemetry};
    struct iv_bundle_facts facts;
    struct iv_evidence_verdicts verdicts;
    bool judge = a->ledger.count + a->telemetry.count > 0;
    IV_AUTO(iv_evidence_replay_freep) struct iv_evidence_replay *replay = NULL;
    TRY(iv_evidence_replay_new(&replay, err));
    TRY(iv_bundle_check(&facts, bundle, trust, judge ? iv_evidence_replay_take : NULL, replay, err));
    if (judge) {
        TRY(iv_evidence_replay_run(&verdicts, replay, files, facts.head.from, facts.head.until, err));
        ENSURE(verdicts.invented == 0 && verdicts.missing == 0, err, IV_E_MALFORMED,
               "the records say otherwise of %llu findings: %s",
               (unsigned long long)(verdicts.invented + verdicts.missing), verdicts.example);
    }
    tell(&facts, a, judge ? &verdicts : NULL);
    return IV_OK;
}

static iv_rc verify(const struct verify_args *a, const char *path, struct iv_err *err)
{
    struct iv_bundle_trust trust = {.key = {NULL, 0}};
    IV_AUTO(iv_buf_deinit) struct iv_buf bundle;
    IV_AUTO(iv_buf_deinit) struct iv_buf key;
    IV_AUTO(iv_buf_deinit) struct iv_buf since;
    iv_buf_init(&bundle, IV_BUNDLE_MAX_BYTES);
    iv_buf_init(&key, KEY_MAX_BYTES);
    iv_buf_init(&since, IV_NOTE_BYTES);
    TRY(iv_file_read(&bundle, iv_str_of(path), err));
    if (a->key != NULL) {
        TRY(iv_file_read(&key, iv_str_of(a->key), err));
        trust.key = iv_buf_slice(&key);
    }
    if (a->since != NULL) {
        TRY(iv_file_read(&since, iv_str_of(a->since), err));
        trust.since = iv_buf_slice(&since);
    }
    return check(a, iv_buf_slice(&bundle), &trust, err);
}

static int verify_run(const void *args, const struct iv_words *words, struct iv_err *err)
{
    const char *path = words->items[0];
    struct iv_rc_s rc = verify(args, path, err);
    if (rc.code == IV_E_MALFORMED) {
        printf("Broken: %s: %s.\n", path, err->text);
        return IV_EXIT_FOUND;
    }
    if (rc.code == IV_E_REFUSED) {
        iv_err_wrap(err, "%s", path);
    }
    return iv_ok(rc) ? IV_EXIT_DONE : iv_exit_of(rc);
}

#define AT(member) offsetof(struct verify_args, member)

static const struct iv_flag flags[] = {
    {.name = "key",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = AT(key),
     .doc = "the monitor's public key, as 'invigil keygen' wrote it: the log must be signed by it"},
    {.name = "since",
     .kind = IV_FLAG_TEXT,
     .value = "FILE",
     .offset = AT(since),
     .doc = "a checkpoint that was kept elsewhere: the log must continue it"},
    {.name = "ledger",
     .kind = IV_FLAG_LIST,
     .value = "FILE",
     .offset = AT(ledger),
     .doc = "a recorded partition of the ledger, to be judged anew; may be given several times"},
    {.name = "telemetry",
     .kind = IV_FLAG_LIST,
     .value = "FILE",
     .offset = AT(telemetry),
     .doc = "a recorded partition of the telemetry; likewise"},
};

extern const struct iv_command iv_command_evidence_verify;
const struct iv_command iv_command_evidence_verify = {
    .name = "evidence verify",
    .synopsis = "BUNDLE [--key FILE] [--since FILE] [--ledger FILE]… [--telemetry FILE]…",
    .doc = "Recomputes every digest, proof and signature of a bundle, offline.",
    .details =
        "With the records that were judged, they are judged anew under the baselines of the bundle, and its\n"
        "violations are held against what is found. Says what is proven, and what a bundle cannot prove.\n"
        "Exit status: 0 all that was asked "
        "holds, 1 failed,\n"
        "2 refused, 3 a proof is broken.",
    .flags = flags,
    .flag_count = IV_COUNT(flags),
    .args_size = sizeof(struct verify_args),
    .min_words = 1,
    .max_words = 1,
    .run = verify_run,
};
