/* SPDX-License-Identifier: Apache-2.0 */
/* A storm of findings of one rule: what keeping them and planning their playbook costs. bench_storm FINDINGS
 * TARGETS [LIMIT]: so many findings, spread over so many targets, kept in transactions of 64 as the keeper
 * does, with the guards that hold where a playbook says nothing, or with LIMIT in the place of each. */
#include "base/clock.h"
#include "base/guard.h"
#include "baseline/problems.h"
#include "evidence/reader.h"
#include "respond/playbook.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define GROUP 64

static const char playbook[] =
    "apiVersion: invigil/v1\n"
    "kind: Playbook\n"
    "metadata: {name: revoke, title: Revoke it}\n"
    "target: \"{{trigger.token_id}}\"\n"
    "%s"
    "steps:\n"
    "- name: revoke\n"
    "  http: {endpoint: hook, path: /revoke, body: {token: \"{{trigger.token_id}}\"}}\n"
    "- name: announce\n"
    "  kafka: {topic: commands, key: \"{{trigger.token_id}}\", value: {}}\n";

static void must(struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        (void)fprintf(stderr, "bench_storm: %s\n", err->text);
        exit(1);
    }
}

struct storm {
    struct sample sample;
    struct iv_playbooks *playbooks;
    struct iv_store *store;
    struct iv_buf scratch;
    struct iv_clock clock;
};

static void find(struct storm *s, unsigned long number, unsigned long targets)
{
    struct iv_err err = {0};
    struct iv_finding row;
    enum iv_put how;
    char token[32];
    (void)snprintf(token, sizeof token, "tok-%lu", number % targets);
    sample_number(&s->sample, (unsigned)number + 1);
    sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
    iv_buf_clear(&s->scratch);
    iv_ns now = iv_wall(&s->clock);
    must(iv_finding_of_verdict(&row, &s->scratch, &s->sample.baseline, &s->sample.verdict, now, &err), &err);
    must(iv_store_put_finding(s->store, &how, &row, &err), &err);
    struct iv_posting posting = {
        .channel = IV_CHANNEL_FINDING, .key = row.uid, .value = row.ocsf, .time = row.detected};
    must(iv_store_post(s->store, NULL, &posting, &err), &err);
    must(iv_respond_plan(s->playbooks, s->store, &row, &s->sample.verdict, &s->sample.baseline, now, &err),
         &err);
}

static void tell(struct storm *s, struct iv_str path, unsigned long findings, iv_ns took)
{
    struct iv_err err = {0};
    struct iv_store_totals totals;
    struct rusage usage;
    struct stat file = {0};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    (void)s;
    must(iv_reader_open(&reader, path, &err), &err);
    must(iv_reader_totals(reader, &totals, &err), &err);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)stat(path.p, &file);
    printf("%lu findings in %.1f s, %.0f a second; %lld planned, %lld wait; at most %ld MiB of memory, store "
           "%lld MiB\n",
           findings, (double)took / 1e9, (double)findings * 1e9 / (double)took,
           (long long)totals.executions[IV_RUN_PLANNED], (long long)totals.executions[IV_RUN_WAITING],
           usage.ru_maxrss / 1024, (long long)(file.st_size >> 20));
}

/* limit NULL: nothing is said. */
static void write_playbook(struct iv_buf *out, const char *limit)
{
    char guards[256] = "";
    if (limit != NULL) {
        (void)snprintf(guards, sizeof guards,
                       "guards:\n"
                       "  executions: &all {minute: %s, hour: %s, day: %s}\n"
                       "  agents: *all\n"
                       "  tenants: *all\n"
                       "  enclaves: *all\n",
                       limit, limit, limit);
    }
    iv_buf_init(out, sizeof playbook + sizeof guards);
    iv_buf_printf(out, playbook, guards);
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 3 || argc == 4);
    struct iv_err err = {0};
    struct storm s = {.clock = iv_clock_system()};
    unsigned long findings = strtoul(argv[1], NULL, 10);
    unsigned long targets = strtoul(argv[2], NULL, 10);
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_str path = scratch_file(&dir, "s.db");
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    write_playbook(&text, argc == 4 ? argv[3] : NULL);
    struct iv_playbook_source source = {
        .name = IV_STR("revoke"), .file = IV_STR("revoke.yaml"), .text = iv_buf_slice(&text)};
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    sample_init(&s.sample);
    s.sample.baseline.playbooks = &source;
    s.sample.baseline.playbook_count = 1;
    iv_buf_init(&s.scratch, 1 << 20);
    must(iv_problems_new(&problems, &err), &err);
    must(iv_playbooks_load(&s.playbooks, &s.sample.baseline, problems, &err), &err);
    must(iv_store_open(&s.store, path, &err), &err);
    iv_ns begun = iv_monotonic(&s.clock);
    for (unsigned long n = 0; n < findings; n += GROUP) {
        must(iv_store_begin(s.store, &err), &err);
        for (unsigned long i = n; i < findings && i < n + GROUP; i++) {
            find(&s, i, targets);
        }
        must(iv_store_commit(s.store, &err), &err);
    }
    tell(&s, path, findings, iv_monotonic(&s.clock) - begun);
    iv_store_close(s.store);
    iv_playbooks_unref(s.playbooks);
    iv_buf_deinit(&s.scratch);
    sample_deinit(&s.sample);
    return 0;
}
