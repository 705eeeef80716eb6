/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/parcel.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <string.h>

static struct iv_parcel *parcel;
static struct iv_err err;

static void setup(void)
{
    cr_assert(iv_ok(iv_parcel_new(&parcel, &err)));
}

static void teardown(void)
{
    iv_parcel_free(parcel);
}

TestSuite(parcel, .init = setup, .fini = teardown);

static void add_record(const struct iv_record *record)
{
    const struct iv_move move = {.kind = IV_MOVE_EVENT, .record = record};
    cr_assert(iv_ok(iv_parcel_add(parcel, &move, &err)));
}

Test(parcel, keeps_a_record_and_its_headers_beyond_their_batch)
{
    char bytes[] = "{\"id\":1}";
    char name[] = "ce_id";
    char value[] = "e1";
    const struct iv_header headers[] = {{{name, 5}, {value, 2}}, {IV_STR("tombstone"), {NULL, 0}}};
    const struct iv_record record = {.origin = {IV_LEDGER, 3, 7, IV_STR("ledger")},
                                     .bytes = {bytes, strlen(bytes)},
                                     .headers = headers,
                                     .header_count = IV_COUNT(headers),
                                     .written = 5};

    add_record(&record);
    memset(bytes, '?', sizeof bytes);
    memset(name, '?', sizeof name);
    memset(value, '?', sizeof value);

    const struct iv_record *kept = parcel->moves[0].record;
    cr_expect(iv_str_eq(kept->bytes, IV_STR("{\"id\":1}")));
    for (size_t i = 0; i < IV_RECORD_PADDING; i++) {
        cr_expect_eq(kept->bytes.p[kept->bytes.n + i], 0, "the decoder reads beyond the end");
    }
    cr_assert_eq(kept->header_count, 2);
    cr_expect(iv_str_eq(kept->headers[0].name, IV_STR("ce_id")));
    cr_expect(iv_str_eq(kept->headers[0].value, IV_STR("e1")));
    cr_expect_null(kept->headers[1].value.p);
    cr_expect_eq(kept->origin.offset, 7);
    cr_expect_eq(kept->written, 5);
}

Test(parcel, is_full_by_moves_events_or_bytes)
{
    static char large[IV_PARCEL_BYTES];
    const struct iv_record small = {.bytes = IV_STR("{}")};
    const struct iv_record big = {.bytes = {large, sizeof large}};
    const struct iv_move event = {.kind = IV_MOVE_EVENT, .record = &small};
    const struct iv_move big_event = {.kind = IV_MOVE_EVENT, .record = &big};
    const struct iv_move time = {.kind = IV_MOVE_REACHED};

    for (int i = 0; i < IV_PARCEL_EVENTS; i++) {
        cr_assert(iv_parcel_fits(parcel, &event));
        add_record(&small);
    }
    cr_expect(!iv_parcel_fits(parcel, &event));
    for (int i = IV_PARCEL_EVENTS; i < IV_PARCEL_MOVES; i++) {
        cr_assert(iv_parcel_fits(parcel, &time));
        cr_assert(iv_ok(iv_parcel_add(parcel, &time, &err)));
    }
    cr_expect(!iv_parcel_fits(parcel, &time));

    iv_parcel_reset(parcel);
    cr_expect(iv_parcel_fits(parcel, &big_event), "one record fits, whatever its size");
    add_record(&big);
    cr_expect(!iv_parcel_fits(parcel, &event));
    cr_expect(iv_parcel_fits(parcel, &time));
}

Test(parcel, gives_back_memory_beyond_the_usual_when_it_is_emptied)
{
    static char large[4 * IV_PARCEL_BYTES];
    const struct iv_record small = {.bytes = IV_STR("{}")};
    const struct iv_record big = {.bytes = {large, sizeof large}};

    add_record(&small);
    iv_parcel_reset(parcel);
    cr_expect_gt(parcel->arena.total_bytes, 0);
    add_record(&big);
    iv_parcel_reset(parcel);

    cr_expect_eq(parcel->arena.total_bytes, 0);
    cr_expect_eq(parcel->move_count + parcel->event_count + parcel->bytes, 0);
}
