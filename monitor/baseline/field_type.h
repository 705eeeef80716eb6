/* SPDX-License-Identifier: Apache-2.0 */
/* The type that a field of the catalogue has in expressions, for whoever makes schemas of event types.
 * Source: contract "Events", types of fields. */
#pragma once

#include "cel/cel.h"
#include "event/catalogue.h"

const struct iv_cel_type *iv_field_type(enum iv_ftype type);
