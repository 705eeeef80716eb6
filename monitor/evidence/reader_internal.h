/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's insides, shared by the files that read. Internal to the room. */
#pragma once

#include "evidence/reader.h"
#include "evidence/sql.h"

struct iv_reader {
    struct iv_sql sql;
    iv_ns deadline; /* by the monotonic clock; 0: none */
};
