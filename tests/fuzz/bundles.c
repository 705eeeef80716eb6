/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused with a sentence, or are a bundle; and of a bundle no prefix is one.
 * Input: the bundle. */
#include "target.h"

#include "evidence/bundle_check.h"

static struct iv_rc_s count(void *ctx, const struct iv_bundle_leaf *leaf, struct iv_err *err)
{
    (void)err;
    IV_CHECK(leaf->document.p != NULL);
    ++*(uint64_t *)ctx;
    return IV_OK;
}

static struct iv_rc_s check(struct iv_str bytes, uint64_t *seen, struct iv_err *err)
{
    static const struct iv_bundle_trust nobody = {.key = {NULL, 0}};
    struct iv_bundle_facts facts;
    *seen = 0;
    struct iv_rc_s rc = iv_bundle_check(&facts, bytes, &nobody, count, seen, err);
    if (iv_ok(rc)) {
        uint64_t documents = 0;
        for (int kind = 0; kind < IV_LEAF_KINDS; kind++) {
            documents += facts.documents[kind];
        }
        IV_CHECK(documents == *seen && !facts.is_signed && !facts.continues);
    }
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_str bytes = input_of(data, size);
    struct iv_err err = {.text = ""};
    uint64_t seen = 0;
    struct iv_rc_s rc = check(bytes, &seen, &err);
    if (!iv_ok(rc)) {
        IV_CHECK((rc.code == IV_E_REFUSED || rc.code == IV_E_MALFORMED) && err.text[0] != '\0');
        return 0;
    }
    IV_CHECK(!iv_ok(check((struct iv_str){bytes.p, bytes.n - 1}, &seen, &err)));
    return 0;
}
