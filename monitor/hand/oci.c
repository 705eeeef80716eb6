/* SPDX-License-Identifier: Apache-2.0 */
/* Containers, by a runtime's command line: runc, crun, youki.
 * Source: OCI runtime command line interface; runtime-spec, runtime.md ("state"). */
#include "base/arena.h"
#include "base/guard.h"
#include "event/decode.h"
#include "hand/process.h"

#include <limits.h>
#include <poll.h>
#include <string.h>

#define LOOK_EVERY_MS 20
#define ID_MAX_BYTES 255

enum life { LIFE_UNKNOWN, LIFE_ABSENT, LIFE_STOPPED, LIFE_PAUSED, LIFE_OTHER };

struct container {
    struct iv_job *job;
    char runtime[PATH_MAX];
    char root[PATH_MAX]; /* empty: the runtime's own */
    char id[ID_MAX_BYTES + 1];
};

static bool keep(char *out, size_t size, struct iv_str s)
{
    bool fits = s.n < size;
    if (fits && s.n > 0) {
        memcpy(out, s.p, s.n);
    }
    out[fits ? s.n : 0] = '\0';
    return fits;
}

/* What runc takes for a name, and no option. */
bool iv_hand_is_container(struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (i > 0 && c != '\0' && strchr("_.+-", c) != NULL) || c == '_';
        if (!good) {
            return false;
        }
    }
    return s.n > 0 && s.n <= ID_MAX_BYTES;
}

static bool take(struct container *c, struct iv_job *job)
{
    c->job = job;
    if (job->options->runtime.p == NULL) {
        IV_JOB_END(job, IV_HAND_UNSUPPORTED, "the configuration names no runtime of containers");
        return false;
    }
    bool good = job->count == 1 && iv_hand_is_container(job->words[0]) &&
                keep(c->id, sizeof c->id, job->words[0]) &&
                keep(c->runtime, sizeof c->runtime, job->options->runtime) &&
                keep(c->root, sizeof c->root, job->options->containers);
    if (!good) {
        IV_JOB_END(job, IV_HAND_FAILED, "that is no container's name");
    }
    return good;
}

static bool call(struct container *c, const char *verb, const char *signal)
{
    const char *words[8];
    size_t n = 0;
    words[n++] = c->runtime;
    if (c->root[0] != '\0') {
        words[n++] = "--root";
        words[n++] = c->root;
    }
    words[n++] = verb;
    words[n++] = c->id;
    words[n++] = signal;
    words[n] = NULL;
    return iv_program_run(c->job, words, NULL, IV_HAND_OUTPUT_MAX);
}

static bool says(const struct iv_job *job, const char *text)
{
    return memmem(job->output, job->output_n, text, strlen(text)) != NULL;
}

/* runtime-spec: the state is a JSON object with a "status". Its annotations are anybody's words, so it is
 * read as JSON and by no search; what the runtime warns of may stand before it. */
static enum life life_in(struct iv_str output)
{
    static const struct {
        const char *word;
        enum life life;
    } words[] = {{"creating", LIFE_OTHER},
                 {"created", LIFE_OTHER},
                 {"running", LIFE_OTHER},
                 {"paused", LIFE_PAUSED},
                 {"stopped", LIFE_STOPPED}};
    const struct iv_decode_limits limits = {IV_HAND_OUTPUT_MAX, 32, IV_HAND_OUTPUT_MAX, IV_HAND_OUTPUT_MAX};
    const struct iv_json_options strict = {.lenient_members = false};
    const struct iv_val key = iv_val_str(IV_STR("status"));
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_val state;
    const char *object = memchr(output.p, '{', output.n);
    iv_arena_init(&arena, 1u << 20);
    struct iv_str json = {object, object == NULL ? 0 : output.n - (size_t)(object - output.p)};
    if (json.n == 0 || !iv_ok(iv_decoder_new(&decoder, NULL, &limits, (struct iv_hash_key){0, 0}, NULL)) ||
        !iv_ok(iv_json_parse(decoder, json, &strict, &arena, &state, NULL)) || state.kind != IV_KIND_MAP) {
        return LIFE_UNKNOWN;
    }
    const struct iv_val *status = iv_val_map_get(&state, &key);
    for (size_t i = 0; i < IV_COUNT(words) && status != NULL && status->kind == IV_KIND_STRING; i++) {
        if (iv_str_eq(iv_val_slice(*status), iv_str_of(words[i].word))) {
            return words[i].life;
        }
    }
    return LIFE_UNKNOWN;
}

static enum life life_of(struct container *c)
{
    if (!call(c, "state", NULL)) {
        return LIFE_UNKNOWN;
    }
    if (c->job->status != 0) {
        return says(c->job, "does not exist") ? LIFE_ABSENT : LIFE_UNKNOWN;
    }
    return life_in((struct iv_str){c->job->output, c->job->output_n});
}

/* False: there is nothing (more) to do, and job says so. */
static bool look(struct container *c, enum life *life)
{
    struct iv_job *job = c->job;
    *life = life_of(c);
    if (*life == LIFE_ABSENT || *life == LIFE_STOPPED) {
        IV_JOB_END(job, IV_HAND_ABSENT, "the container '%s' %s", c->id,
                   *life == LIFE_ABSENT ? "does not exist" : "has stopped already");
    } else if (*life == LIFE_UNKNOWN && job->result == IV_HAND_DONE) {
        IV_JOB_END(job, IV_HAND_FAILED, "the runtime does not tell the state of container '%s'", c->id);
    }
    return job->result == IV_HAND_DONE;
}

static bool do_it(struct container *c, const char *verb, const char *signal)
{
    bool done = call(c, verb, signal);
    if (done && c->job->status != 0) {
        IV_JOB_END(c->job, IV_HAND_FAILED, "the runtime's '%s' exited with status %d", verb, c->job->status);
    }
    return done && c->job->status == 0;
}

static bool ended(enum life life)
{
    return life == LIFE_ABSENT || life == LIFE_STOPPED;
}

static bool stands_still(enum life life)
{
    return life == LIFE_PAUSED || ended(life);
}

static bool goes_on(enum life life)
{
    return life == LIFE_OTHER || ended(life);
}

/* Until the state is there, which the runtime does not wait for. */
static void wait_until(struct container *c, bool (*reached)(enum life life), const char *still)
{
    while (!reached(life_of(c)) && c->job->result == IV_HAND_DONE) {
        if (iv_job_left_ms(c->job) == 0) {
            IV_JOB_END(c->job, IV_HAND_AGAIN, "the container '%s' %s", c->id, still);
            return;
        }
        (void)poll(NULL, 0, LOOK_EVERY_MS);
    }
    c->job->output_n = 0;
    c->job->status = 0;
}

void iv_job_oci_kill(struct iv_job *job)
{
    struct container c;
    enum life life;
    if (!take(&c, job) || !look(&c, &life) || !do_it(&c, "kill", "KILL")) {
        return;
    }
    /* A signal comes to frozen processes when they thaw, which some runtimes see to themselves. */
    if (life != LIFE_PAUSED || life_of(&c) != LIFE_PAUSED || do_it(&c, "resume", NULL)) {
        wait_until(&c, ended, "was killed and has not stopped");
    }
}

void iv_job_oci_pause(struct iv_job *job)
{
    struct container c;
    enum life life;
    if (take(&c, job) && look(&c, &life) && (life == LIFE_PAUSED || do_it(&c, "pause", NULL))) {
        wait_until(&c, stands_still, "was paused and does not stand still");
    }
}

void iv_job_oci_resume(struct iv_job *job)
{
    struct container c;
    enum life life;
    if (take(&c, job) && look(&c, &life) && (life != LIFE_PAUSED || do_it(&c, "resume", NULL))) {
        wait_until(&c, goes_on, "was resumed and stands still");
    }
}
