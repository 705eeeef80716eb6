/* SPDX-License-Identifier: Apache-2.0 */
/* What daemon/confinement.c rests on: a confined SQLite sorts more than its cache holds, in files beside the
 * store. */
#include "base/guard.h"
#include "confine/confine.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SORT_MUCH                                                                                            \
    "PRAGMA cache_size = 20;"                                                                                \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"                        \
    " SELECT count(*) FROM (SELECT i, randomblob(200) AS b FROM n ORDER BY b LIMIT -1 OFFSET 1)"

static int sort_confined(const struct scratch *dir)
{
    struct iv_str folder[] = {iv_str_of(dir->path)};
    const struct iv_confine_options options = {.writes = {folder, 1}};
    struct iv_confined in_force;
    sqlite3 *db = NULL;
    if (!iv_ok(iv_confine(&in_force, &options, NULL)) || sqlite3_open(":memory:", &db) != SQLITE_OK) {
        return 250;
    }
    int rc = sqlite3_exec(db, SORT_MUCH, NULL, NULL, NULL);
    (void)sqlite3_close(db);
    return rc;
}

static int in_child(const struct scratch *dir)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(sort_confined(dir));
    }
    int status = 0;
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

Test(spill, sqlite_sorts_in_the_store_s_folder)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_confined here;
    iv_confine_preview(&here, &(struct iv_confine_options){.mode = IV_CONFINE_ENFORCE});

    cr_assert(eq(int, setenv("SQLITE_TMPDIR", dir.path, 1), 0));
    cr_expect(eq(int, in_child(&dir), SQLITE_OK));

    if (here.landlock_abi > 0) {
        cr_assert(eq(int, unsetenv("SQLITE_TMPDIR"), 0));
        cr_expect(eq(int, in_child(&dir), SQLITE_CANTOPEN), "else it asks for a folder that is closed");
    }
}
