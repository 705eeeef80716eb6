/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/publish.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "daemon/publish_step.h"

#include <pthread.h>
#include <time.h>

#define IDLE_WAIT (500 * IV_NS_PER_MS)

struct iv_publish {
    struct iv_clock clock;
    struct iv_publish_step *step; /* the thread's own */
    struct iv_turns *turns;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool work;      /* under lock: something was committed since the last look */
    bool stopping;  /* under lock */
    iv_ns deadline; /* monotonic, once stopping */
};

static bool sleep_until_woken(struct iv_publish *p)
{
    struct timespec t;
    iv_monotonic_in(&t, IDLE_WAIT);
    (void)pthread_mutex_lock(&p->lock);
    int timed_out = 0;
    while (!p->work && !p->stopping && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&p->woken, &p->lock, &t);
    }
    p->work = false;
    bool go_on = !p->stopping || iv_monotonic(&p->clock) < p->deadline;
    (void)pthread_mutex_unlock(&p->lock);
    return go_on;
}

static bool is_stopping(struct iv_publish *p)
{
    (void)pthread_mutex_lock(&p->lock);
    bool stopping = p->stopping;
    (void)pthread_mutex_unlock(&p->lock);
    return stopping;
}

static void *publish_thread(void *argument)
{
    struct iv_publish *p = argument;
    bool go_on = true;
    (void)pthread_setname_np(pthread_self(), "iv-publish");
    while (go_on) {
        bool more = iv_publish_turn(p->step);
        iv_turn(p->turns);
        bool stopping = is_stopping(p);
        if (more) {
            go_on = !stopping || iv_monotonic(&p->clock) < p->deadline;
        } else {
            go_on = !stopping && sleep_until_woken(p);
        }
    }
    return NULL;
}

static void publish_free(struct iv_publish *p)
{
    if (p != NULL) {
        iv_publish_step_free(p->step);
        (void)pthread_cond_destroy(&p->woken);
        (void)pthread_mutex_destroy(&p->lock);
        iv_free(p);
    }
}

static void publish_freep(struct iv_publish **p)
{
    publish_free(*p);
}

iv_rc iv_publish_start(struct iv_publish **out, const struct iv_publish_options *options, struct iv_err *err)
{
    IV_AUTO(publish_freep) struct iv_publish *p = iv_calloc(1, sizeof *p);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate the publisher");
    p->clock = iv_clock_system();
    p->turns = options->turns;
    iv_monotonic_cond_init(&p->woken);
    IV_CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
    struct iv_publish_step_options step = {.store = options->store,
                                           .config = options->config,
                                           .clock = p->clock,
                                           .delivered = options->delivered,
                                           .ctx = options->ctx};
    TRY(iv_publish_step_new(&p->step, &step, err));
    ENSURE(pthread_create(&p->thread, NULL, publish_thread, p) == 0, err, IV_E_NOMEM,
           "cannot start a thread");
    *out = TAKE(p);
    return IV_OK;
}

void iv_publish_stop(struct iv_publish *publish, iv_ns grace)
{
    if (publish == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&publish->lock);
    publish->stopping = true;
    publish->deadline = iv_monotonic(&publish->clock) + grace;
    (void)pthread_cond_signal(&publish->woken);
    (void)pthread_mutex_unlock(&publish->lock);
    (void)pthread_join(publish->thread, NULL);
    publish_free(publish);
}

void iv_publish_wake(struct iv_publish *publish)
{
    (void)pthread_mutex_lock(&publish->lock);
    publish->work = true;
    (void)pthread_cond_signal(&publish->woken);
    (void)pthread_mutex_unlock(&publish->lock);
}
