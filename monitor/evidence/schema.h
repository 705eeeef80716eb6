/* SPDX-License-Identifier: Apache-2.0 */
/* The store's schema as numbered migrations: the n-th text takes a store from version n to n + 1.
 * The texts are the files in migrations/, embedded by the build. A migration that was released is never
 * edited. */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct iv_sql;

struct iv_migration {
    const char *path;
    const char *text;
    size_t n;
};

extern const struct iv_migration iv_migrations[];
extern const size_t iv_migrations_count;

/* "IVGL": marks the file as ours (PRAGMA application_id). */
#define IV_STORE_APPLICATION_ID 0x4956474c

/* Brings the file to the version that this program writes, in one transaction; a new file
 * is marked as ours. */
iv_rc iv_schema_migrate(const struct iv_sql *sql, struct iv_err *err);
/* The file is ours and of exactly that version. */
iv_rc iv_schema_check(const struct iv_sql *sql, struct iv_err *err);
