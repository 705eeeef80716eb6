/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/schema.h"

#include "base/guard.h"
#include "evidence/sql.h"

#include <inttypes.h>
#include <stdio.h>

/* The version that this program writes. */
static int newest(void)
{
    return (int)iv_migrations_count;
}

static iv_rc read_version(const struct iv_sql *sql, int64_t *version, bool *fresh, struct iv_err *err)
{
    int64_t application = 0;
    int64_t tables = 0;
    TRY(iv_sql_int(sql, &tables, "SELECT count(*) FROM sqlite_schema", "read it", err));
    TRY(iv_sql_int(sql, &application, "PRAGMA application_id", "read it", err));
    TRY(iv_sql_int(sql, version, "PRAGMA user_version", "read it", err));
    *fresh = tables == 0 && application == 0 && *version == 0;
    ENSURE(*fresh || application == IV_STORE_APPLICATION_ID, err, IV_E_STORE,
           "'%s' is a SQLite database of another application, not a store of invigil", sql->path);
    ENSURE(*version <= newest(), err, IV_E_STORE,
           "the store '%s' has schema version %" PRId64
           ", made by a newer invigil; this one writes version %d",
           sql->path, *version, newest());
    return IV_OK;
}

static iv_rc migrate(const struct iv_sql *sql, struct iv_err *err)
{
    int64_t version = 0;
    bool fresh = false;
    TRY(read_version(sql, &version, &fresh, err));
    char text[96];
    for (int64_t next = version; next < newest(); next++) {
        (void)snprintf(text, sizeof text, "bring its schema to version %" PRId64, next + 1);
        TRY(iv_sql_exec(sql, iv_migrations[next].text, text, err));
    }
    (void)snprintf(text, sizeof text, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   IV_STORE_APPLICATION_ID, newest());
    return iv_sql_exec(sql, text, "mark its version", err);
}

/* Whoever opens a store that is up to date does not wait for its writer. */
iv_rc iv_schema_migrate(const struct iv_sql *sql, struct iv_err *err)
{
    int64_t version = 0;
    bool fresh = false;
    TRY(read_version(sql, &version, &fresh, err));
    if (version == newest()) {
        return IV_OK;
    }
    TRY(iv_sql_exec(sql, "BEGIN IMMEDIATE", "begin a migration", err));
    struct iv_rc_s rc = migrate(sql, err);
    if (iv_ok(rc)) {
        rc = iv_sql_exec(sql, "COMMIT", "commit a migration", err);
    }
    if (!iv_ok(rc)) {
        (void)sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return rc;
}

iv_rc iv_schema_check(const struct iv_sql *sql, struct iv_err *err)
{
    int64_t version = 0;
    bool fresh = false;
    TRY(read_version(sql, &version, &fresh, err));
    ENSURE(version == newest(), err, IV_E_STORE,
           "the store '%s' has schema version %" PRId64 ", version %d is needed: a writer must open it first",
           sql->path, version, newest());
    return IV_OK;
}
