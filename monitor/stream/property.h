/* SPDX-License-Identifier: Apache-2.0 */
/* A property of librdkafka, by its name there. Consumer and producer take the same list: what concerns only
 * the other is ignored, what nobody knows is refused with the nearest name. */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct iv_property {
    struct iv_str name;
    struct iv_str value;
};

/* IV_E_REFUSED: nobody knows the name, or the value is none of its values. Whether clients that take it can
 * be made is seen only then. */
iv_rc iv_property_check(const struct iv_property *property, struct iv_err *err);

/* Both lists, the later of two of one name in force; to be freed with iv_free. Texts are referred to. */
iv_rc iv_properties_join(struct iv_property **out, const struct iv_property *first, size_t first_count,
                         const struct iv_property *then, size_t then_count, struct iv_err *err);
