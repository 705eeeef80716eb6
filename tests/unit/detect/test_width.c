/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/width.h"

#include "base/guard.h"
#include "evidence/store.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(width, of_a_topic_that_is_known_stays_what_it_was)
{
    static const struct iv_str streams[] = {IV_STR_INIT("ledger"), IV_STR_INIT("telemetry")};
    static const struct iv_str others[] = {IV_STR_INIT("ledger-6"), IV_STR_INIT("telemetry-6")};
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    struct iv_err err = {.text = ""};
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), &err)), "%s", err.text);

    cr_expect(iv_ok(iv_width_check(store, streams, 4, &err)), "%s", err.text);
    cr_expect(iv_ok(iv_width_check(store, streams, 4, &err)), "%s", err.text);

    cr_expect(eq(int, (int)iv_width_check(store, streams, 6, &err).code, (int)IV_E_REFUSED));
    cr_expect(eq(str, err.text,
                 "the topic 'ledger' has 6 partitions, and had 4 when this store first knew it; a tenant's "
                 "records stand in two of them, so another number takes other topics"));
    cr_expect(iv_ok(iv_width_check(store, others, 6, &err)), "%s", err.text);
    cr_expect(iv_ok(iv_width_check(store, streams, 4, &err)), "%s", err.text);
}
