/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "daemon/input.h"

#include <criterion/criterion.h>

#define S IV_NS_PER_S

Test(input, that_is_lost_is_said_after_a_minute_again_each_five_and_that_it_is_back)
{
    static const struct {
        iv_ns at;
        bool reachable;
        enum iv_input_word word;
    } rows[] = {
        {0 * S, true, IV_INPUT_BACK}, /* an earlier process may have said that it is lost */
        {1 * S, true, IV_INPUT_NO_NEWS},    {60 * S, false, IV_INPUT_NO_NEWS}, {61 * S, false, IV_INPUT_LOST},
        {360 * S, false, IV_INPUT_NO_NEWS}, {361 * S, false, IV_INPUT_LOST},   {362 * S, true, IV_INPUT_BACK},
        {363 * S, true, IV_INPUT_NO_NEWS},  {423 * S, false, IV_INPUT_LOST},
    };
    struct iv_input input = iv_input_begin(0);

    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(iv_input_look(&input, rows[i].reachable, rows[i].at) == rows[i].word, "row %zu", i);
    }
}

Test(input, that_was_never_there_is_lost_a_minute_after_the_start)
{
    struct iv_input input = iv_input_begin(S);
    cr_expect(iv_input_look(&input, false, 60 * S) == IV_INPUT_NO_NEWS);
    cr_expect(iv_input_look(&input, false, 61 * S) == IV_INPUT_LOST);
}
