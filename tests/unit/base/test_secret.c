/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/secret.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct written {
    char path[32];
    int fd;
};

static struct written write_file(const void *bytes, size_t n)
{
    struct written w = {.path = "/tmp/iv-secret-XXXXXX"};
    w.fd = mkstemp(w.path);
    cr_assert(w.fd >= 0 && write(w.fd, bytes, n) == (ssize_t)n);
    return w;
}

static void remove_file(const struct written *w)
{
    (void)close(w->fd);
    (void)unlink(w->path);
}

Test(secret, a_secret_is_its_first_line_or_the_whole_file)
{
    static const struct {
        const char *text;
        enum iv_secret_extent extent;
        const char *want;  /* NULL: refused */
        const char *empty; /* what the sentence says is */
    } rows[] = {
        {"s3cret\nnote\n", IV_SECRET_LINE, "s3cret", NULL},
        {"s3cret", IV_SECRET_LINE, "s3cret", NULL},
        {"a\nb\n", IV_SECRET_WHOLE, "a\nb\n", NULL},
        {"\nlater\n", IV_SECRET_LINE, NULL, "and its first line is empty"},
        {"", IV_SECRET_LINE, NULL, "and its first line is empty"},
        {"", IV_SECRET_WHOLE, NULL, "and it is empty"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        const struct written w = write_file(rows[i].text, strlen(rows[i].text));
        struct iv_buf secret;
        struct iv_err err = {.text = ""};
        struct iv_rc_s rc = iv_secret_read(&secret, iv_str_of(w.path), rows[i].extent, &err);
        if (rows[i].want != NULL) {
            cr_assert(iv_ok(rc), "row %zu: %s", i, err.text);
            cr_expect_str_eq(secret.p, rows[i].want, "row %zu", i);
        } else {
            cr_expect(rc.code == IV_E_REFUSED && strstr(err.text, rows[i].empty) != NULL, "row %zu: %s", i,
                      err.text);
        }
        iv_buf_wipe(&secret);
        remove_file(&w);
    }
}

Test(secret, a_file_that_is_too_large_for_a_secret_is_refused_by_its_name)
{
    static char bytes[IV_SECRET_BYTES_MAX + 1];
    const struct written w = write_file(bytes, sizeof bytes);
    struct iv_buf secret;
    struct iv_err err = {.text = ""};
    cr_expect(iv_secret_read(&secret, iv_str_of(w.path), IV_SECRET_WHOLE, &err).code == IV_E_LIMIT);
    cr_expect(strstr(err.text, w.path) != NULL, "%s", err.text);
    iv_buf_wipe(&secret);
    remove_file(&w);
}

/* In lent memory, which can be looked at afterwards. */
Test(secret, what_is_wiped_leaves_nothing_behind)
{
    char memory[64];
    struct iv_buf buf;
    memset(memory, 'x', sizeof memory);
    iv_buf_init_lent(&buf, memory, sizeof memory, sizeof memory);
    iv_buf_text(&buf, "s3cret and more");
    buf.n = 3;
    iv_buf_wipe(&buf);
    for (size_t i = 0; i < sizeof memory; i++) {
        cr_assert(memory[i] == '\0', "byte %zu", i);
    }
}

Test(secret, is_equal_to_itself_alone)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } rows[] = {{"", "", true},       {"a", "a", true},      {"a", "", false},      {"", "a", false},
                {"abc", "abc", true}, {"ab", "abab", false}, {"abab", "ab", false}, {"abc", "abd", false}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect_eq(iv_secret_eq(iv_str_of(rows[i].a), iv_str_of(rows[i].b)), rows[i].same, "'%s' '%s'",
                     rows[i].a, rows[i].b);
    }
}
