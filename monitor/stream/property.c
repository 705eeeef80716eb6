/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/property.h"

#include "base/alloc.h"
#include "base/guard.h"

iv_rc iv_properties_join(struct iv_property **out, const struct iv_property *first, size_t first_count,
                         const struct iv_property *then, size_t then_count, struct iv_err *err)
{
    struct iv_property *joined = iv_calloc(first_count + then_count + 1, sizeof *joined);
    ENSURE(joined != NULL, err, IV_E_NOMEM, "cannot allocate a client's properties");
    for (size_t i = 0; i < first_count + then_count; i++) {
        joined[i] = i < first_count ? first[i] : then[i - first_count];
    }
    *out = joined;
    return IV_OK;
}
