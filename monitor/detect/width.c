/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/width.h"

#include "base/buf.h"
#include "base/guard.h"
#include "evidence/store.h"

#define TEXT_MAX_BYTES 512

static iv_rc check_inside(struct iv_store *store, struct iv_str topic, int32_t width, struct iv_err *err)
{
    char texts[3][TEXT_MAX_BYTES];
    struct iv_buf name;
    struct iv_buf now;
    struct iv_buf before;
    iv_buf_init_lent(&name, texts[0], TEXT_MAX_BYTES, TEXT_MAX_BYTES);
    iv_buf_init_lent(&now, texts[1], TEXT_MAX_BYTES, TEXT_MAX_BYTES);
    iv_buf_init_lent(&before, texts[2], TEXT_MAX_BYTES, TEXT_MAX_BYTES);
    iv_buf_printf(&name, "partitions." IV_STR_FMT, IV_STR_ARG(topic));
    iv_buf_printf(&now, "%d", (int)width);
    TRY(iv_buf_check(&name, "the name of a topic", err));
    struct iv_rc_s rc = iv_store_fact(store, &before, iv_buf_slice(&name), err);
    if (rc.code == IV_E_ABSENT) {
        return iv_store_put_fact(store, iv_buf_slice(&name), iv_buf_slice(&now), err);
    }
    TRY(rc);
    ENSURE(iv_str_eq(iv_buf_slice(&before), iv_buf_slice(&now)), err, IV_E_REFUSED,
           "the topic '" IV_STR_FMT "' has %d partitions, and had " IV_STR_FMT
           " when this store first knew it; a tenant's records stand in two of them, so another number takes "
           "other topics",
           IV_STR_ARG(topic), (int)width, IV_STR_ARG(iv_buf_slice(&before)));
    return IV_OK;
}

iv_rc iv_width_check(struct iv_store *store, const struct iv_str topics[IV_STREAMS], int32_t width,
                     struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        struct iv_rc_s rc = check_inside(store, topics[s], width, err);
        if (!iv_ok(rc)) {
            iv_store_rollback(store);
            return rc;
        }
    }
    return iv_store_commit(store, err);
}
