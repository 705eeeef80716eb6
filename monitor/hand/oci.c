/* SPDX-License-Identifier: Apache-2.0 */
/* Containers, by a runtime's command line: runc, crun, youki.
 * Source: OCI runtime command line interface; runtime-spec, runtime.md ("state"). */
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
    return iv_program_run(c->job, words, NULL, 8192);
}

static bool says(const struct iv_job *job, const char *text)
{
    return memmem(job->output, job->output_n, text, strlen(text)) != NULL;
}

/* runtime-spec: the state is a JSON object with a "status". */
static enum life life_of(struct container *c)
{
    if (!call(c, "state", NULL)) {
        return LIFE_UNKNOWN;
    }
    if (c->job->status != 0) {
        return says(c->job, "does not exist") ? LIFE_ABSENT : LIFE_UNKNOWN;
    }
    return says(c->job, "\"status\": \"stopped\"") || says(c->job, "\"status\":\"stopped\"") ? LIFE_STOPPED
           : says(c->job, "\"status\": \"paused\"") || says(c->job, "\"status\":\"paused\"") ? LIFE_PAUSED
                                                                                             : LIFE_OTHER;
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
