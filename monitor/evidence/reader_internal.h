/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's insides, shared by the files that read. Internal to the room. */
#pragma once

#include "evidence/reader.h"
#include "evidence/sql.h"

enum { IV_READER_KEEPS = 8 };

/* A statement that was made for an answer, kept for the next one of the same text: most of what a small query
 * costs is its making. */
struct iv_kept {
    sqlite3_stmt *stmt; /* NULL: none is kept here */
    bool at_work;
};

struct iv_reader {
    struct iv_sql sql;
    iv_ns deadline; /* by the monotonic clock; 0: none */
    struct iv_kept kept[IV_READER_KEEPS];
    size_t next; /* that goes next, where another one is kept */
};
