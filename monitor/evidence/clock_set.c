/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/clock_set.h"

#include "base/guard.h"
#include "evidence/store_internal.h"

void iv_store_clock_ahead(struct iv_store *store, iv_ns ahead)
{
    IV_CHECK(store->inside);
    store->ahead = ahead;
}

iv_ns iv_store_clock_is_ahead(const struct iv_store *store)
{
    IV_CHECK(store->inside);
    return store->ahead;
}

iv_rc iv_store_clock_back(struct iv_store *store, bool *any, iv_ns now, struct iv_err *err)
{
    static const enum iv_statement clamps[] = {IV_SQL_STEPS_CLAMP, IV_SQL_WAITING_CLAMP};
    IV_CHECK(store->inside);
    for (size_t i = 0; i < IV_COUNT(clamps); i++) {
        IV_AUTO(iv_sql_resetp) sqlite3_stmt *stmt = NULL;
        TRY(iv_store_statement(store, &stmt, clamps[i], err));
        struct iv_sql_args args = iv_sql_args(stmt);
        iv_sql_bind_int(&args, now);
        TRY(iv_sql_run(&store->sql, stmt, "bring what waits back to the clock", err));
        *any = *any || sqlite3_changes(store->sql.db) > 0;
    }
    return iv_store_renew_posted(store, any, now, err);
}
