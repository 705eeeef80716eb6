/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/outlet.h"

#include "base/guard.h"
#include "baseline/load.h"
#include "baseline/problems.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

#define EACH 200
#define THREADS 3

static struct iv_baseline *shipped(void)
{
    struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    cr_assert(iv_ok(iv_problems_new(&problems, NULL)));
    cr_assert(iv_ok(iv_baseline_load(&baseline, IV_STR(IV_SOURCE_DIR "/rules"), problems, NULL)));
    return baseline;
}

struct scene {
    struct iv_baseline *baseline;
    struct iv_handoff *queue;
    atomic_uint_fast64_t kept;
    struct iv_outlet outlet;
    uint64_t last[THREADS];
};

struct pusher {
    struct scene *scene;
    int number;
    bool grows;
};

static void *push_all(void *argument)
{
    struct pusher *p = argument;
    p->grows = true;
    for (int i = 0; i < EACH; i++) {
        struct iv_commit *commit = NULL;
        struct iv_err err;
        IV_CHECK(iv_ok(iv_commit_new(&commit, p->scene->baseline, &err)));
        uint64_t number = iv_outlet_push(&p->scene->outlet, commit);
        p->grows = p->grows && number > p->scene->last[p->number];
        p->scene->last[p->number] = number;
    }
    return NULL;
}

Test(outlet, numbers_are_those_of_the_queue_whoever_pushes)
{
    struct scene s = {.baseline = shipped()};
    struct iv_err err;
    pthread_t threads[THREADS];
    struct pusher pushers[THREADS];
    cr_assert(iv_ok(iv_handoff_new(&s.queue, THREADS * EACH, 0, &err)), "%s", err.text);
    iv_outlet_init(&s.outlet, s.queue, &s.kept);

    for (int i = 0; i < THREADS; i++) {
        pushers[i] = (struct pusher){&s, i, false};
        cr_assert(eq(int, pthread_create(&threads[i], NULL, push_all, &pushers[i]), 0));
    }
    for (int i = 0; i < THREADS; i++) {
        cr_assert(eq(int, pthread_join(threads[i], NULL), 0));
        cr_expect(pushers[i].grows, "each thread's numbers grow");
    }
    size_t count = 0;
    for (struct iv_commit *c; (c = iv_handoff_pop(s.queue, 0)) != NULL; count++) {
        iv_commit_free(c);
    }

    cr_expect(eq(sz, count, THREADS * EACH));
    cr_expect(eq(u64, s.outlet.handed, THREADS * EACH));
    iv_outlet_deinit(&s.outlet);
    iv_handoff_free(s.queue);
    iv_baseline_unref(s.baseline);
}

Test(outlet, what_a_closed_queue_did_not_take_is_never_kept)
{
    struct scene s = {.baseline = shipped()};
    struct iv_commit *commit = NULL;
    struct iv_err err;
    cr_assert(iv_ok(iv_handoff_new(&s.queue, 4, 0, &err)), "%s", err.text);
    iv_outlet_init(&s.outlet, s.queue, &s.kept);
    cr_assert(iv_ok(iv_commit_new(&commit, s.baseline, &err)));
    iv_handoff_close(s.queue);

    uint64_t number = iv_outlet_push(&s.outlet, commit);

    cr_expect(gt(u64, number, iv_outlet_kept(&s.outlet)));
    iv_outlet_deinit(&s.outlet);
    iv_handoff_free(s.queue);
    iv_baseline_unref(s.baseline);
}
