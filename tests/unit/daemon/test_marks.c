/* SPDX-License-Identifier: Apache-2.0 */
/* Where partitions ended: from where is to be read, and how far it is known. */
#include "base/guard.h"
#include "daemon/marks.h"

#include <criterion/criterion.h>

#define KEPT 3

/* Two partitions of the ledger, one of the telemetry. */
static void ends(struct iv_cursor *out, int64_t a, int64_t b, int64_t c)
{
    out[0] = (struct iv_cursor){.stream = IV_LEDGER, .partition = 0, .offset = a};
    out[1] = (struct iv_cursor){.stream = IV_LEDGER, .partition = 1, .offset = b};
    out[2] = (struct iv_cursor){.stream = IV_TELEMETRY, .partition = 0, .offset = c};
}

static struct iv_marks *fresh(void)
{
    struct iv_marks *marks = NULL;
    cr_assert(iv_ok(iv_marks_new(&marks, 3, KEPT, NULL)));
    return marks;
}

static const struct iv_cursor *mark(struct iv_marks *marks, iv_ns asked, iv_ns told, int64_t a, int64_t b,
                                    int64_t c)
{
    static struct iv_cursor at[3];
    ends(at, a, b, c);
    return iv_marks_add(marks, asked, told, at);
}

Test(marks, are_begun_at_only_when_they_were_told_before)
{
    IV_AUTO(iv_marks_freep) struct iv_marks *marks = fresh();
    cr_expect(!iv_marks_any(marks) && iv_marks_before(marks, IV_NS_MAX) == NULL);
    (void)mark(marks, 100, 150, 1, 1, 1);
    (void)mark(marks, 200, 250, 5, 6, 7);

    cr_expect(iv_marks_before(marks, 149) == NULL);
    cr_expect(iv_marks_before(marks, 150)[0].offset == 1);
    cr_expect(iv_marks_before(marks, 249)[0].offset == 1, "what was written at 210 may lie before its ends");
    cr_expect(iv_marks_before(marks, 250)[1].offset == 6);
}

Test(marks, are_reached_as_of_when_they_were_asked_for_by_every_partition_of_the_stream)
{
    static const struct {
        int64_t at[3];
        size_t read; /* so many of the partitions */
        iv_ns ledger;
        iv_ns telemetry;
    } rows[] = {
        {{0, 0, 0}, 3, IV_NS_MIN, IV_NS_MIN},
        {{1, 1, 1}, 3, 100, 100},
        {{5, 5, 7}, 3, 100, 200},
        {{5, 6, 6}, 3, 200, 100},
        {{9, 9, 9}, 3, 200, 200},
        {{9, 9, 9}, 2, 200, IV_NS_MIN},
        {{9, 9, 9}, 1, IV_NS_MIN, IV_NS_MIN},
        {{9, 0, 9}, 3, IV_NS_MIN, 200},
    };
    IV_AUTO(iv_marks_freep) struct iv_marks *marks = fresh();
    (void)mark(marks, 100, 150, 1, 1, 1);
    (void)mark(marks, 200, 250, 5, 6, 7);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_cursor at[3];
        ends(at, rows[i].at[0], rows[i].at[1], rows[i].at[2]);

        cr_expect(iv_marks_reached(marks, at, rows[i].read, IV_LEDGER) == rows[i].ledger, "row %zu", i);
        cr_expect(iv_marks_reached(marks, at, rows[i].read, IV_TELEMETRY) == rows[i].telemetry, "row %zu", i);
    }
}

Test(marks, are_none_where_a_partition_was_not_told)
{
    IV_AUTO(iv_marks_freep) struct iv_marks *marks = fresh();

    cr_expect(mark(marks, 100, 150, 1, -1, 1) == NULL);

    cr_expect(!iv_marks_any(marks));
}

Test(marks, keep_the_newest)
{
    IV_AUTO(iv_marks_freep) struct iv_marks *marks = fresh();
    for (int i = 1; i <= KEPT + 2; i++) {
        (void)mark(marks, i * 100, i * 100 + 50, i, i, i);
    }

    cr_expect(iv_marks_before(marks, 299) == NULL);
    cr_expect(iv_marks_before(marks, 350)[0].offset == 3);
    cr_expect(iv_marks_before(marks, IV_NS_MAX)[0].offset == KEPT + 2);
}

Test(marks, of_another_log_are_forgotten_and_so_are_all_when_the_clock_was_set)
{
    IV_AUTO(iv_marks_freep) struct iv_marks *marks = fresh();
    (void)mark(marks, 100, 150, 5, 5, 5);

    const struct iv_cursor *back = mark(marks, 200, 250, 5, 2, 5);

    cr_assert(back != NULL);
    cr_expect(back->stream == IV_LEDGER && back->partition == 1);
    cr_expect(iv_marks_before(marks, 249) == NULL && iv_marks_before(marks, 250)[1].offset == 2);
    cr_expect(mark(marks, 300, 350, 5, 2, 5) == NULL);
    iv_marks_forget(marks);
    cr_expect(!iv_marks_any(marks) && iv_marks_before(marks, IV_NS_MAX) == NULL);
}
