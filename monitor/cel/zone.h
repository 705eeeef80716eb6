/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones: "+02:00", "-02:30", "02:00", "UTC" and the names of the IANA database.
 * Guarantee: pure. No file of the machine is read, so a verdict does not depend on where it is made.
 * Not here: history. The rules now in force in a zone are applied to all times (zones.def), so an hour
 * before a country changed its rules can be off. Rules that must not depend on that use an offset. */
#pragma once

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* The seconds to add to UTC in the zone at that time; false if there is no such zone. */
bool iv_zone_offset(int64_t *out, struct iv_str zone, int64_t utc_seconds);
