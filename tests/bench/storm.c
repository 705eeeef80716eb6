/* SPDX-License-Identifier: Apache-2.0 */
/* A storm of findings of one rule: what keeping them and planning their playbook costs, and then what
 * carrying it out does. bench_storm FINDINGS TARGETS [LIMIT [respond]]: so many findings, spread over so many
 * targets, kept in transactions of 64 as the keeper does, with the guards that hold where a playbook says
 * nothing, or with LIMIT in the place of each. respond: their hook is called then, which answers at once, and
 * what is for the broker is struck from the outbox; each on a thread of its own. RATE in its place: they come
 * at so many a second while those before them are carried out, and each is timed until its hook hears of it.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "baseline/problems.h"
#include "evidence/reader.h"
#include "respond/playbook.h"
#include "respond/responder.h"
#include "support/sample.h"
#include "support/scratch.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GROUP 64
#define CONNECTIONS 1024

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

static double processor_seconds(void)
{
    struct timespec t;
    IV_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(struct iv_str path, unsigned long findings, iv_ns took)
{
    struct iv_err err = {0};
    struct iv_store_totals totals;
    struct rusage usage;
    struct stat file = {0};
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    must(iv_reader_open(&reader, path, &err), &err);
    must(iv_reader_totals(reader, &totals, &err), &err);
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)stat(path.p, &file);
    printf("%lu findings in %.1f s, %.0f a second, %.0f us of processor time each; %lld planned, %lld wait; "
           "at most %ld MiB of memory, store "
           "%lld MiB\n",
           findings, (double)took / 1e9, (double)findings * 1e9 / (double)took,
           processor_seconds() * 1e6 / (double)findings, (long long)totals.executions[IV_RUN_PLANNED],
           (long long)totals.executions[IV_RUN_WAITING], usage.ru_maxrss / 1024,
           (long long)(file.st_size >> 20));
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
                       "  enclaves: *all\n"
                       "  ramp: {start: 1000000, errors: 1}\n",
                       limit, limit, limit);
    }
    iv_buf_init(out, sizeof playbook + sizeof guards);
    iv_buf_printf(out, playbook, guards);
}

/* When each of them came, and when its hook heard of it first; monotonic. Room for all there are. */
static iv_ns *came;
static iv_ns *heard;

static void note_heard(const char *bytes, size_t n)
{
    static const char mark[] = "tok-";
    const char *at = memmem(bytes, n, mark, sizeof mark - 1);
    if (heard != NULL && at != NULL) {
        iv_ns *when = &heard[strtoul(at + sizeof mark - 1, NULL, 10)];
        struct iv_clock clock = iv_clock_system();
        *when = *when == 0 ? iv_monotonic(&clock) : *when;
    }
}

/* Takes requests that come whole, as small ones on this machine do, and answers each. */
static void *hook_thread(void *argument)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct pollfd fds[CONNECTIONS] = {{.fd = *(int *)argument, .events = POLLIN}};
    nfds_t count = 1;
    char bytes[8192];
    while (poll(fds, count, -1) > 0) {
        for (nfds_t i = 1; i < count; i++) {
            if (fds[i].revents == 0) {
                continue;
            }
            ssize_t n = read(fds[i].fd, bytes, sizeof bytes - 1);
            if (n > 0) {
                bytes[n] = '\0';
                note_heard(bytes, (size_t)n);
                (void)!write(fds[i].fd, answer, sizeof answer - 1);
            } else {
                (void)close(fds[i].fd);
                fds[i--] = fds[--count];
            }
        }
        if (fds[0].revents != 0 && count < CONNECTIONS) {
            fds[count++] = (struct pollfd){.fd = accept(fds[0].fd, NULL, NULL), .events = POLLIN};
        }
    }
    return NULL;
}

#define STRUCK_AT_ONCE 1024

struct strike {
    int64_t ids[STRUCK_AT_ONCE];
    size_t count;
};

static void take(void *ctx, const struct iv_posting *posting)
{
    struct strike *strike = ctx;
    strike->ids[strike->count++] = posting->id;
}

struct broker {
    struct iv_store *store;
    struct iv_responder *responder;
    atomic_bool stopping;
};

/* A broker that has everything at once. */
static void *broker_thread(void *argument)
{
    struct broker *b = argument;
    struct iv_err err = {0};
    struct strike strike;
    while (!atomic_load(&b->stopping)) {
        strike.count = 0;
        must(iv_store_outbox(b->store, 0, STRUCK_AT_ONCE, take, &strike, &err), &err);
        if (strike.count == 0) {
            iv_pause(IV_NS_PER_MS);
            continue;
        }
        must(iv_store_begin(b->store, &err), &err);
        must(iv_store_delivered(b->store, strike.ids, strike.count, &err), &err);
        must(iv_store_commit(b->store, &err), &err);
        iv_responder_wake(b->responder);
    }
    return NULL;
}

/* For as long as the process lives. */
static void start_hook(char *url, size_t size)
{
    static int listener;
    pthread_t thread;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    IV_CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 128) == 0);
    IV_CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
    IV_CHECK(pthread_create(&thread, NULL, hook_thread, &listener) == 0);
    (void)snprintf(url, size, "http://127.0.0.1:%d", ntohs(at.sin_port));
}

struct stream {
    struct storm *storm;
    unsigned long findings;
    unsigned long rate;
    struct iv_responder *responder;
    iv_ns waited; /* for the store, and at work in it */
};

static void keep(struct storm *s, unsigned long from, unsigned long until, unsigned long targets)
{
    struct iv_err err = {0};
    must(iv_store_begin(s->store, &err), &err);
    for (unsigned long n = from; n < until; n++) {
        find(s, n, targets);
    }
    must(iv_store_commit(s->store, &err), &err);
}

/* As the keeper does: what has come meanwhile is one transaction. */
static void *stream_thread(void *argument)
{
    struct stream *stream = argument;
    struct storm *s = stream->storm;
    iv_ns begun = iv_monotonic(&s->clock);
    unsigned long kept = 0;
    for (unsigned long n = 0; n < stream->findings; n++) {
        came[n] = begun + (iv_ns)(n * (uint64_t)IV_NS_PER_S / stream->rate);
    }
    while (kept < stream->findings) {
        unsigned long until = kept;
        iv_ns now = iv_monotonic(&s->clock);
        while (until < stream->findings && until < kept + GROUP && came[until] <= now) {
            until++;
        }
        if (until == kept) {
            iv_pause(came[kept] - now);
            continue;
        }
        keep(s, kept, until, stream->findings);
        stream->waited += iv_monotonic(&s->clock) - now;
        kept = until;
        iv_responder_wake(stream->responder);
    }
    return NULL;
}

static int by_length(const void *a, const void *b)
{
    iv_ns x = *(const iv_ns *)a;
    iv_ns y = *(const iv_ns *)b;
    return (x > y) - (x < y);
}

static void tell_lengths(const struct stream *stream)
{
    for (unsigned long n = 0; n < stream->findings; n++) {
        heard[n] -= came[n];
    }
    qsort(heard, stream->findings, sizeof *heard, by_length);
    printf("until its hook hears of it: p50 %.0f ms, p99 %.0f ms, at most %.0f ms; the keeper was %.1f s at "
           "it\n",
           (double)heard[stream->findings / 2] / 1e6, (double)heard[stream->findings * 99 / 100] / 1e6,
           (double)heard[stream->findings - 1] / 1e6, (double)stream->waited / 1e9);
}

/* stream NULL: all of them were found before. */
static void respond(struct storm *s, unsigned long count, struct stream *stream)
{
    struct iv_err err = {0};
    pthread_t finder;
    char url[64];
    start_hook(url, sizeof url);
    struct iv_endpoint endpoint = {.name = IV_STR("hook"), .url = iv_str_of(url)};
    struct iv_responder_options options = {
        .store = s->store, .endpoints = &endpoint, .endpoint_count = 1, .clock = s->clock};
    struct iv_responder_stats stats = {.done = 0};
    IV_AUTO(iv_responder_freep) struct iv_responder *responder = NULL;
    must(iv_responder_new(&responder, &options, &err), &err);
    struct broker broker = {.store = s->store, .responder = responder};
    pthread_t thread;
    IV_CHECK(pthread_create(&thread, NULL, broker_thread, &broker) == 0);
    if (stream != NULL) {
        stream->responder = responder;
        IV_CHECK(pthread_create(&finder, NULL, stream_thread, stream) == 0);
    }
    iv_ns begun = iv_monotonic(&s->clock);
    double before = processor_seconds();
    unsigned long turns = 0;
    while (stats.done < 2 * count) {
        must(iv_responder_turn(responder, IV_NS_PER_S, &err), &err);
        iv_responder_stats(responder, &stats);
        turns++;
    }
    iv_ns took = iv_monotonic(&s->clock) - begun;
    atomic_store(&broker.stopping, true);
    IV_CHECK(pthread_join(thread, NULL) == 0);
    double cpu = processor_seconds() - before;
    printf("%lu carried out in %.1f s, %.0f a second; %.0f us of the responder's processor time and %.2f "
           "turns for each\n",
           count, (double)took / 1e9, (double)count * 1e9 / (double)took, cpu * 1e6 / (double)count,
           (double)turns / (double)count);
    if (stream != NULL) {
        IV_CHECK(pthread_join(finder, NULL) == 0);
        tell_lengths(stream);
    }
}

int main(int argc, char **argv)
{
    IV_CHECK(argc >= 3 && argc <= 5);
    struct iv_err err = {0};
    struct storm s = {.clock = iv_clock_system()};
    unsigned long findings = strtoul(argv[1], NULL, 10);
    unsigned long targets = strtoul(argv[2], NULL, 10);
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_str path = scratch_file(&dir, "s.db");
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    write_playbook(&text, argc > 3 ? argv[3] : NULL);
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
    unsigned long rate = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (rate > 0) {
        struct stream stream = {.storm = &s, .findings = findings, .rate = rate};
        came = iv_calloc(findings, sizeof *came);
        heard = iv_calloc(findings, sizeof *heard);
        IV_CHECK(came != NULL && heard != NULL);
        respond(&s, findings, &stream);
        iv_free(came);
        iv_free(heard);
    } else {
        iv_ns begun = iv_monotonic(&s.clock);
        for (unsigned long n = 0; n < findings; n += GROUP) {
            keep(&s, n, n + GROUP < findings ? n + GROUP : findings, targets);
        }
        tell(path, findings, iv_monotonic(&s.clock) - begun);
    }
    if (argc == 5 && rate == 0) {
        respond(&s, findings < targets ? findings : targets, NULL);
    }
    iv_store_close(s.store);
    iv_playbooks_unref(s.playbooks);
    iv_buf_deinit(&s.scratch);
    sample_deinit(&s.sample);
    return 0;
}
