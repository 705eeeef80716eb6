/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/sql.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Another process that writes holds the lock for one batch; a checkpoint for a moment. */
#define BUSY_TIMEOUT_MS 5000
#define CHECKPOINT_DEFAULT 1000 /* pages; SQLite's */
#define CHECKPOINT_PAGES 4000

static iv_rc fail_code(struct iv_err *err, const char *path, int code, const char *doing, const char *detail)
{
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return iv_err_set(err, IV_E_NOMEM, "the store '%s': no memory left to %s", path, doing);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return iv_err_set(err, IV_E_BUSY, "the store '%s' is being written by another process: cannot %s",
                          path, doing);
    case SQLITE_INTERRUPT:
        return iv_err_set(err, IV_E_BUSY, "the store '%s': it takes too long to %s", path, doing);
    case SQLITE_FULL:
        return iv_err_set(err, IV_E_BUSY, "the store '%s': no space is left to %s", path, doing);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return iv_err_set(err, IV_E_STORE,
                          "the store '%s' is damaged or is no SQLite database: cannot %s (%s)", path, doing,
                          detail);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return iv_err_set(err, IV_E_STORE, "the store '%s' cannot be written: cannot %s (%s)", path, doing,
                          detail);
    default:
        return iv_err_set(err, IV_E_STORE, "the store '%s': cannot %s (%s)", path, doing, detail);
    }
}

iv_rc iv_sql_failed(const struct iv_sql *sql, const char *doing, struct iv_err *err)
{
    return fail_code(err, sql->path, sqlite3_extended_errcode(sql->db), doing, sqlite3_errmsg(sql->db));
}

iv_rc iv_sql_exec(const struct iv_sql *sql, const char *text, const char *doing, struct iv_err *err)
{
    if (sqlite3_exec(sql->db, text, NULL, NULL, NULL) != SQLITE_OK) {
        return iv_sql_failed(sql, doing, err);
    }
    return IV_OK;
}

iv_rc iv_sql_int(const struct iv_sql *sql, int64_t *out, const char *text, const char *doing,
                 struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(sql->db, text, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW) {
        return iv_sql_failed(sql, doing, err);
    }
    *out = sqlite3_column_int64(stmt, 0);
    return IV_OK;
}

iv_rc iv_sql_prepare(const struct iv_sql *sql, sqlite3_stmt **out, const char *text, struct iv_err *err)
{
    if (sqlite3_prepare_v3(sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK) {
        return iv_sql_failed(sql, "prepare a statement", err);
    }
    return IV_OK;
}

/* An errno; 0: nothing. SQLite would say "unable to open". */
static int what_hinders(const char *path)
{
    struct stat is;
    if (stat(path, &is) != 0) {
        return errno;
    }
    if (S_ISDIR(is.st_mode)) {
        return EISDIR;
    }
    return faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) == 0 ? 0 : errno;
}

/* The evidence is for the owner and his group; SQLite gives its side files the mode of the main one. A file
 * that is there is not opened here: to close it would give up the locks that other connections of this
 * process hold on it (POSIX has them by process), and whoever came next would take the log from under them.
 */
static iv_rc create_file(const char *path, struct iv_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0) {
        (void)close(fd);
        return IV_OK;
    }
    int why = errno == EEXIST ? what_hinders(path) : errno;
    ENSURE(why == 0, err, IV_E_STORE, "the store '%s' cannot be opened for writing: %s", path, strerror(why));
    return IV_OK;
}

static iv_rc use_wal(const struct iv_sql *sql, struct iv_err *err)
{
    IV_AUTO(iv_sql_finalizep) sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(sql->db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        return iv_sql_failed(sql, "switch to write-ahead logging", err);
    }
    const char *mode = (const char *)sqlite3_column_text(stmt, 0);
    ENSURE(mode != NULL && strcmp(mode, "wal") == 0, err, IV_E_STORE,
           "the store '%s' must be on a local file system that write-ahead logging works on", sql->path);
    return IV_OK;
}

/* Pages that are written again and again are to be moved to the database less often than after every
 * thousandth: with four times as many, the log takes up 16 MiB. Who has set it otherwise wants it so. */
static iv_rc checkpoint_late(const struct iv_sql *sql, struct iv_err *err)
{
    int64_t pages = 0;
    TRY(iv_sql_int(sql, &pages, "PRAGMA wal_autocheckpoint", "set it up", err));
    if (pages == CHECKPOINT_DEFAULT) {
        (void)sqlite3_wal_autocheckpoint(sql->db, CHECKPOINT_PAGES);
    }
    return IV_OK;
}

static iv_rc set_up(const struct iv_sql *sql, struct iv_err *err)
{
    /* Rows of a storm are scattered over the indexes: with SQLite's 2 MiB its pages came and went. Debian has
     * what is deleted overwritten, and with that whole pages written that are not needed any more. */
    TRY(iv_sql_exec(sql,
                    "PRAGMA synchronous = FULL;"
                    "PRAGMA cache_size = -16384;"
                    "PRAGMA secure_delete = FAST",
                    "set it up", err));
    TRY(checkpoint_late(sql, err));
    /* A commit whose last sync failed ended the process before this one, and can be read all the same.
     * Whoever reads it acts on it, so it must be durable first: SQLite syncs its log before it moves it. */
    return iv_sql_exec(sql, "PRAGMA wal_checkpoint(PASSIVE)", "make durable what is in it", err);
}

static iv_rc open_db(struct iv_sql *sql, bool write, struct iv_err *err)
{
    if (write) {
        TRY(create_file(sql->path, err));
    }
    int flags = SQLITE_OPEN_NOMUTEX | (write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(sql->path, &sql->db, flags, NULL);
    if (code != SQLITE_OK) {
        return fail_code(err, sql->path, code, "open it", sqlite3_errstr(code));
    }
    (void)sqlite3_extended_result_codes(sql->db, 1);
    (void)sqlite3_busy_timeout(sql->db, BUSY_TIMEOUT_MS);
    if (write) {
        ENSURE(sqlite3_db_readonly(sql->db, "main") == 0, err, IV_E_STORE, "the store '%s' cannot be written",
               sql->path);
        TRY(use_wal(sql, err));
        TRY(set_up(sql, err));
    }
    return IV_OK;
}

iv_rc iv_sql_open(struct iv_sql *out, struct iv_str path, bool write, struct iv_err *err)
{
    ENSURE(path.n > 0, err, IV_E_REFUSED, "the store's path is empty");
    struct iv_sql sql = {.path = iv_strndup(path.p, path.n)};
    ENSURE(sql.path != NULL, err, IV_E_NOMEM, "cannot allocate the path of a store");
    struct iv_rc_s rc = open_db(&sql, write, err);
    if (!iv_ok(rc)) {
        iv_sql_close(&sql);
        return rc;
    }
    *out = sql;
    return IV_OK;
}

void iv_sql_close(struct iv_sql *sql)
{
    (void)sqlite3_close(sql->db);
    iv_free(sql->path);
    *sql = (struct iv_sql){0};
}

void iv_sql_resetp(sqlite3_stmt **stmt)
{
    if (*stmt != NULL) {
        (void)sqlite3_reset(*stmt);
        (void)sqlite3_clear_bindings(*stmt);
    }
}

void iv_sql_finalizep(sqlite3_stmt **stmt)
{
    (void)sqlite3_finalize(*stmt);
}

void iv_sql_bind_str(struct iv_sql_args *args, struct iv_str s)
{
    (void)sqlite3_bind_text64(args->stmt, args->next++, s.n == 0 ? "" : s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void iv_sql_bind_bytes(struct iv_sql_args *args, struct iv_str bytes)
{
    (void)sqlite3_bind_blob64(args->stmt, args->next++, bytes.p, bytes.n, SQLITE_STATIC);
}

void iv_sql_bind_int(struct iv_sql_args *args, int64_t i)
{
    (void)sqlite3_bind_int64(args->stmt, args->next++, i);
}

iv_rc iv_sql_step(const struct iv_sql *sql, sqlite3_stmt *stmt, bool *row, const char *doing,
                  struct iv_err *err)
{
    int code = sqlite3_step(stmt);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return iv_sql_failed(sql, doing, err);
    }
    *row = code == SQLITE_ROW;
    return IV_OK;
}

iv_rc iv_sql_run(const struct iv_sql *sql, sqlite3_stmt *stmt, const char *doing, struct iv_err *err)
{
    bool row = false;
    return iv_sql_step(sql, stmt, &row, doing, err);
}

struct iv_str iv_sql_get_str(struct iv_sql_row *row)
{
    int column = row->next++;
    const unsigned char *text = sqlite3_column_text(row->stmt, column);
    if (text == NULL) {
        return IV_STR("");
    }
    return (struct iv_str){(const char *)text, (size_t)sqlite3_column_bytes(row->stmt, column)};
}

struct iv_str iv_sql_get_bytes(struct iv_sql_row *row)
{
    int column = row->next++;
    const char *bytes = sqlite3_column_blob(row->stmt, column);
    return bytes == NULL ? IV_STR("")
                         : (struct iv_str){bytes, (size_t)sqlite3_column_bytes(row->stmt, column)};
}

int64_t iv_sql_get_int(struct iv_sql_row *row)
{
    return sqlite3_column_int64(row->stmt, row->next++);
}
