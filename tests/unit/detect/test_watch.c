/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "detect/handoff.h"
#include "detect/watch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct iv_watch *watch_of(struct iv_turns **keep, struct iv_turns **detect, struct iv_handoff *queue)
{
    struct iv_watch *watch = NULL;
    cr_assert(iv_ok(iv_watch_new(&watch, NULL)));
    cr_assert(iv_ok(iv_watch_part(keep, watch, "keep", NULL, NULL)));
    cr_assert(iv_ok(iv_watch_part(detect, watch, "detect", queue, NULL)));
    return watch;
}

Test(watch, every_part_must_turn_each_time)
{
    struct iv_turns *keep = NULL;
    struct iv_turns *detect = NULL;
    struct iv_watch *watch = watch_of(&keep, &detect, NULL);

    cr_expect(not(iv_watch_moved(watch)), "nothing was done yet");
    iv_turn(keep);
    cr_expect(not(iv_watch_moved(watch)), "one part is not all");
    cr_expect(eq(str, (char *)iv_watch_standing(watch), "detect"));
    iv_turn(detect);
    cr_expect(eq(ptr, (void *)iv_watch_standing(watch), NULL));
    cr_expect(iv_watch_moved(watch));

    cr_expect(not(iv_watch_moved(watch)), "the same turns do not count twice, however long one waits");
    iv_turn(detect);
    iv_turn(detect);
    cr_expect(eq(str, (char *)iv_watch_standing(watch), "keep"));
    iv_turn(keep);
    cr_expect(iv_watch_moved(watch));
    iv_watch_free(watch);
}

Test(watch, who_waits_at_a_full_queue_is_answered_for_by_who_empties_it)
{
    struct iv_handoff *queue = NULL;
    struct iv_turns *keep = NULL;
    struct iv_turns *detect = NULL;
    cr_assert(iv_ok(iv_handoff_new(&queue, 1, 0, NULL)));
    struct iv_watch *watch = watch_of(&keep, &detect, queue);
    int item = 0;

    cr_assert(iv_handoff_push(queue, &item, 1));
    iv_turn(keep);
    cr_expect(iv_watch_moved(watch), "detect waits, keep gets on");
    cr_expect(not(iv_watch_moved(watch)), "keep stands still, and with it both");

    cr_assert(eq(ptr, iv_handoff_pop(queue, 0), &item));
    iv_turn(keep);
    cr_expect(not(iv_watch_moved(watch)), "detect has no excuse any more");
    iv_watch_free(watch);
    iv_handoff_free(queue);
}

Test(watch, nobody_looks)
{
    iv_turn(NULL);
}
