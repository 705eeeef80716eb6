/* SPDX-License-Identifier: Apache-2.0 */
/* A store that cannot be used must say which file and why, and must not change it. */
#include "base/guard.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_refused(struct iv_str path, const char *words)
{
    struct iv_store *store = NULL;
    struct iv_err err = {0};

    struct iv_rc_s rc = iv_store_open(&store, path, &err);

    cr_expect(rc.code == IV_E_STORE, "'%.*s' was opened", (int)path.n, path.p);
    cr_expect(strstr(err.text, path.p) != NULL, "the path is missing: %s", err.text);
    cr_expect(strstr(err.text, words) != NULL, "want '%s' in: %s", words, err.text);
    cr_expect(store == NULL);
}

static void run_sql(const struct scratch *dir, const char *sql)
{
    sqlite3 *db = NULL;
    cr_assert(sqlite3_open(scratch_file(dir, "s.db").p, &db) == SQLITE_OK);
    cr_assert(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    cr_assert(sqlite3_close(db) == SQLITE_OK);
}

Test(store_open, refuses_a_folder_that_is_not_there)
{
    expect_refused(IV_STR("/nonexistent/folder/s.db"), "No such file or directory");
}

Test(store_open, refuses_a_folder_in_place_of_a_file)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    expect_refused(iv_str_of(dir.path), "Is a directory");
}

Test(store_open, refuses_a_file_that_is_no_database)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    char noise[8192];
    memset(noise, 'x', sizeof noise);
    scratch_write(&dir, "s.db", (struct iv_str){noise, sizeof noise});

    expect_refused(scratch_file(&dir, "s.db"), "damaged or is no SQLite database");
}

Test(store_open, refuses_the_database_of_another_application)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    run_sql(&dir, "CREATE TABLE recipes (name TEXT)");

    expect_refused(scratch_file(&dir, "s.db"), "another application");
}

Test(store_open, refuses_a_schema_that_is_newer_than_the_program)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    iv_store_close(store);
    run_sql(&dir, "PRAGMA user_version = 999");

    expect_refused(scratch_file(&dir, "s.db"), "schema version 999");
}

Test(store_open, says_that_a_damaged_page_is_damaged)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    iv_store_close(store);
    char noise[4096];
    memset(noise, 0xff, sizeof noise);
    FILE *f = fopen(scratch_file(&dir, "s.db").p, "r+b");
    cr_assert(f != NULL && fseek(f, 100, SEEK_SET) == 0 && fwrite(noise, 1, sizeof noise, f) == sizeof noise);
    cr_assert(fclose(f) == 0);

    expect_refused(scratch_file(&dir, "s.db"), "damaged");
}

Test(store, says_that_a_write_failed_and_goes_on_when_it_can)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_store_closep) struct iv_store *store = NULL;
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    iv_store_close(TAKE(store));
    cr_assert(iv_ok(iv_store_open(&store, scratch_file(&dir, "s.db"), NULL)));
    static char big[1 << 20];
    memset(big, 'v', sizeof big);
    struct iv_posting posting = {.value = {big, sizeof big}};
    struct iv_err err = {0};

    /* A file that may not grow any more. */
    cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    struct rlimit limit = {200000, RLIM_INFINITY};
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    cr_assert(iv_ok(iv_store_begin(store, &err)), "%s", err.text);
    struct iv_rc_s rc = iv_store_post(store, NULL, &posting, &err);
    if (iv_ok(rc)) {
        rc = iv_store_commit(store, &err);
    } else {
        iv_store_rollback(store);
    }
    cr_expect(iv_code_class(rc.code) != IV_CLASS_NONE, "nothing failed");
    cr_expect(strstr(err.text, "s.db") != NULL, "%s", err.text);

    limit.rlim_cur = RLIM_INFINITY;
    cr_assert(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    cr_assert(iv_ok(iv_store_begin(store, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_post(store, NULL, &posting, &err)), "%s", err.text);
    cr_expect(iv_ok(iv_store_commit(store, &err)), "%s", err.text);
}

Test(reader, refuses_a_store_that_is_not_there_and_makes_none)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    struct iv_reader *reader = NULL;
    struct iv_err err = {0};

    cr_expect(iv_reader_open(&reader, scratch_file(&dir, "s.db"), &err).code == IV_E_STORE);

    cr_expect(strstr(err.text, "s.db") != NULL, "%s", err.text);
    cr_expect(access(scratch_file(&dir, "s.db").p, F_OK) != 0);
}
