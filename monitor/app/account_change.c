/* SPDX-License-Identifier: Apache-2.0 */
#include "app/account_change.h"

#include "app/store_option.h"
#include "base/clock.h"
#include "base/guard.h"
#include "console/roles.h"
#include "evidence/audit.h"
#include "evidence/store.h"

static iv_rc make(struct iv_store *store, const struct iv_account_change *change, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    const struct iv_audit audit = {.at = iv_wall(&clock),
                                   .who = iv_store_option_user(),
                                   .via = iv_str_of(iv_via_name(IV_VIA_COMMAND)),
                                   .what = iv_str_of(change->what),
                                   .object = change->object,
                                   .detail = change->detail};
    TRY(change->make(store, change->ctx, err));
    return iv_store_put_audit(store, &audit, err);
}

iv_rc iv_account_change(struct iv_str store_path, const struct iv_account_change *change, struct iv_err *err)
{
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    TRY(iv_store_option_open(&store, store_path, err));
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = make(store, change, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}
