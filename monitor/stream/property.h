/* SPDX-License-Identifier: Apache-2.0 */
/* A property of librdkafka, by its name there. Consumer and producer take the same list: what concerns only
 * the other is ignored, what nobody knows is refused with the nearest name. */
#pragma once

#include "base/str.h"

struct iv_property {
    struct iv_str name;
    struct iv_str value;
};
