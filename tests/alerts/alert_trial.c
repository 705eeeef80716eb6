/* SPDX-License-Identifier: Apache-2.0 */
/* Findings, conditions and time from standard input; what the sinks were told, and how that went, to standard
 * output.
 *
 *   alert_trial SECTION.yaml STORE
 *
 *   at NANOSECONDS          the clock, from now on; before the first it is 2026-01-01
 *   find TENANT AGENT       a finding; prints its number
 *   contradict NUMBER TENANT AGENT
 *   pass SECONDS            time passes, and what was quiet is resolved
 *   canary SINK
 *   tell SINK               one turn of the sink's queue; prints the seconds to the next, and the reason of a
 * failure count SINK              prints what was told, retried and refused, in this process
 */
#include "base/file.h"
#include "base/guard.h"
#include "respond/alert/canary.h"
#include "support/alert_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trial {
    struct alert_stage stage;
    struct iv_deliver *delivers[IV_ALERT_SINKS_MAX];
};

static struct iv_deliver *of(struct trial *t, const char *sink)
{
    const struct iv_alerting *a = t->stage.alerting;
    for (size_t i = 0; i < a->sink_count; i++) {
        if (iv_str_eq(a->sinks[i].name, iv_str_of(sink))) {
            if (t->delivers[i] == NULL) {
                t->delivers[i] = alert_stage_deliver(&t->stage, sink);
            }
            return t->delivers[i];
        }
    }
    (void)fprintf(stderr, "alert_trial: there is no sink '%s'\n", sink);
    exit(2);
}

static void tell(struct trial *t, const char *sink)
{
    struct iv_deliver *d = of(t, sink);
    struct iv_err err = {.text = ""};
    const char *why = "";
    iv_ns wait = 0;
    if (!iv_ok(iv_deliver_turn(d, &wait, &err))) {
        printf("error %s\n", err.text);
        return;
    }
    (void)iv_deliver_failing(d, &why);
    printf("%.3f %s\n", (double)wait / 1e9, why);
}

static void count(struct trial *t, const char *sink)
{
    struct iv_deliver_stats stats;
    iv_deliver_stats(of(t, sink), &stats);
    printf("%llu %llu %llu\n", (unsigned long long)stats.told, (unsigned long long)stats.retried,
           (unsigned long long)stats.refused);
}

static void canary(struct trial *t, const char *sink)
{
    struct alert_stage *s = &t->stage;
    IV_CHECK(iv_ok(iv_store_begin(s->store, NULL)));
    IV_CHECK(iv_ok(iv_alerter_canary(s->alerter, s->store, iv_str_of(sink), IV_STR(""), s->now, NULL)));
    IV_CHECK(iv_ok(iv_store_commit(s->store, NULL)));
    printf("ok\n");
}

static bool obey(struct trial *t, char **words, size_t n)
{
    struct alert_stage *s = &t->stage;
    if (n == 2 && strcmp(words[0], "at") == 0) {
        s->now = strtoll(words[1], NULL, 10);
        printf("ok\n");
    } else if (n == 3 && strcmp(words[0], "find") == 0) {
        printf("%u\n", alert_stage_find(s, words[1], words[2]));
    } else if (n == 4 && strcmp(words[0], "contradict") == 0) {
        alert_stage_contradict(s, (unsigned)strtoul(words[1], NULL, 10), words[2], words[3]);
        printf("ok\n");
    } else if (n == 3 && strcmp(words[0], "triage") == 0) {
        enum iv_triage_verb verb;
        IV_CHECK(iv_triage_verb_of(&verb, iv_str_of(words[2])));
        alert_stage_triage(s, (unsigned)strtoul(words[1], NULL, 10), verb);
        printf("ok\n");
    } else if (n == 2 && strcmp(words[0], "pass") == 0) {
        alert_stage_pass(s, strtoll(words[1], NULL, 10) * IV_NS_PER_S);
        printf("ok\n");
    } else if (n == 2 && strcmp(words[0], "canary") == 0) {
        canary(t, words[1]);
    } else if (n == 2 && strcmp(words[0], "tell") == 0) {
        tell(t, words[1]);
    } else if (n == 2 && strcmp(words[0], "count") == 0) {
        count(t, words[1]);
    } else {
        return false;
    }
    return fflush(stdout) == 0;
}

static size_t split(char **words, size_t max, char *line)
{
    size_t n = 0;
    for (char *p = line; *p != '\0' && n < max;) {
        p += strspn(p, " \n");
        if (*p != '\0') {
            words[n++] = p;
            p += strcspn(p, " \n");
            if (*p != '\0') {
                *p++ = '\0';
            }
        }
    }
    return n;
}

int main(int argc, char **argv)
{
    static struct trial t;
    static char line[1024];
    IV_AUTO(iv_buf_deinit) struct iv_buf section;
    struct iv_err err = {.text = ""};
    char *words[4];
    bool fine = true;
    iv_buf_init(&section, 1 << 16);
    if (argc != 3 || !iv_ok(iv_file_read(&section, iv_str_of(argv[1]), &err))) {
        (void)fprintf(stderr, "alert_trial SECTION.yaml STORE %s\n", err.text);
        return 2;
    }
    alert_stage_open(&t.stage, section.p, iv_str_of(argv[2]));
    while (fine && fgets(line, sizeof line, stdin) != NULL) {
        fine = obey(&t, words, split(words, IV_COUNT(words), line));
    }
    for (size_t i = 0; i < IV_COUNT(t.delivers); i++) {
        iv_deliver_free(t.delivers[i]);
    }
    alert_stage_deinit(&t.stage);
    return fine ? 0 : 2;
}
