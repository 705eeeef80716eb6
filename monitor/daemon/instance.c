/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/instance.h"

#include "base/guard.h"
#include "base/hash.h"

iv_rc iv_instance(struct iv_buf *out, struct iv_store *store, struct iv_err *err)
{
    struct iv_rc_s rc = iv_store_fact(store, out, IV_STR("instance"), err);
    if (rc.code != IV_E_ABSENT) {
        return rc;
    }
    struct iv_hash_key random = iv_hash_key_random();
    iv_buf_printf(out, "%016llx", (unsigned long long)random.k0);
    TRY(iv_buf_check(out, "a store's name", err));
    return iv_store_put_fact(store, IV_STR("instance"), iv_buf_slice(out), err);
}
