/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/handoff.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>

#define ITEMS 1000

static char items[ITEMS];

/* Pushes all items; answers how many the queue took. */
static void *push_all(void *queue)
{
    size_t taken = 0;
    while (taken < ITEMS && iv_handoff_push(queue, &items[taken], 1)) {
        taken++;
    }
    return &items[0] + taken;
}

Test(handoff, what_goes_in_comes_out_once_and_in_order)
{
    struct iv_handoff *queue = NULL;
    pthread_t pusher;
    cr_assert(iv_ok(iv_handoff_new(&queue, 2, 0, NULL)));
    cr_assert(pthread_create(&pusher, NULL, push_all, queue) == 0);

    for (size_t i = 0; i < ITEMS; i++) {
        cr_assert(eq(ptr, iv_handoff_pop(queue, 60 * IV_NS_PER_S), &items[i]), "item %zu", i);
    }

    cr_assert(pthread_join(pusher, NULL) == 0);
    cr_expect(eq(ptr, iv_handoff_pop(queue, 0), NULL));
    iv_handoff_free(queue);
}

Test(handoff, whoever_waits_at_a_full_queue_is_sent_away_by_its_close)
{
    struct iv_handoff *queue = NULL;
    pthread_t pusher;
    void *end = NULL;
    cr_assert(iv_ok(iv_handoff_new(&queue, 2, 0, NULL)));
    cr_assert(pthread_create(&pusher, NULL, push_all, queue) == 0);
    cr_assert(eq(ptr, iv_handoff_pop(queue, 60 * IV_NS_PER_S), &items[0]));

    iv_handoff_close(queue);

    cr_assert(pthread_join(pusher, &end) == 0);
    cr_expect(lt(ptr, end, &items[4])); /* one was popped, two have room */
    cr_expect(not(iv_handoff_push(queue, &items[0], 1)));
    while (iv_handoff_pop(queue, 0) != NULL) {
    }
    iv_handoff_free(queue);
}

Test(handoff, a_closed_queue_gives_what_it_holds_and_is_then_drained)
{
    struct iv_handoff *queue = NULL;
    cr_assert(iv_ok(iv_handoff_new(&queue, 2, 0, NULL)));
    cr_assert(iv_handoff_push(queue, &items[7], 1));

    iv_handoff_close(queue);

    cr_expect(not(iv_handoff_drained(queue)));
    cr_expect(eq(ptr, iv_handoff_pop(queue, 60 * IV_NS_PER_S), &items[7]));
    cr_expect(iv_handoff_drained(queue));
    cr_expect(eq(ptr, iv_handoff_pop(queue, 60 * IV_NS_PER_S), NULL));
    iv_handoff_free(queue);
}

Test(handoff, items_that_weigh_much_fill_the_queue_before_its_places_do)
{
    struct iv_handoff *queue = NULL;
    pthread_t pusher;
    void *end = NULL;
    cr_assert(iv_ok(iv_handoff_new(&queue, 100, 10, NULL)));
    for (size_t i = 0; i < 2; i++) {
        cr_assert(iv_handoff_push(queue, &items[i], 9), "below its bound the queue takes what comes");
    }

    cr_assert(pthread_create(&pusher, NULL, push_all, queue) == 0);
    for (size_t i = 0; i < 2; i++) {
        cr_expect(eq(ptr, iv_handoff_pop(queue, 0), &items[i]), "and the heavy ones leave first");
    }
    iv_handoff_close(queue);
    cr_assert(pthread_join(pusher, &end) == 0);

    size_t taken = 0;
    while (iv_handoff_pop(queue, 0) != NULL) {
        taken++;
    }
    cr_expect(le(sz, taken, 10));
    iv_handoff_free(queue);
}
