/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

Test(file, a_file_is_read_whole)
{
    struct iv_buf buf;
    iv_buf_init(&buf, 1u << 20);

    cr_assert(iv_ok(iv_file_read(&buf, IV_STR(IV_SOURCE_DIR "/LICENSE"), NULL)));

    cr_expect(gt(sz, buf.n, 10000));
    cr_expect(ne(ptr, strstr(buf.p, "Apache License"), NULL));
    iv_buf_deinit(&buf);
}

Test(file, what_cannot_be_read_says_why)
{
    struct iv_buf buf;
    struct iv_err err;
    iv_buf_init(&buf, 100);

    cr_expect(eq(int, (int)iv_file_read(&buf, IV_STR("/nowhere/at all"), &err).code, (int)IV_E_ABSENT));
    cr_expect(eq(str, err.text, "cannot open '/nowhere/at all': No such file or directory"));
    cr_expect(eq(int, (int)iv_file_read(&buf, IV_STR(IV_SOURCE_DIR), &err).code, (int)IV_E_IO));
    cr_expect(eq(int, (int)iv_file_read(&buf, IV_STR(IV_SOURCE_DIR "/LICENSE"), &err).code, (int)IV_E_LIMIT));
    iv_buf_deinit(&buf);
}

/* What another process is told: its exit status is the code. */
static int claim_elsewhere(const char *path, char *said, size_t room)
{
    int pipes[2];
    cr_assert(eq(int, pipe(pipes), 0));
    pid_t child = fork();
    if (child == 0) {
        struct iv_err err = {.text = ""};
        int fd = -1;
        struct iv_rc_s rc = iv_file_claim(&fd, path, &err);
        ssize_t written = write(pipes[1], err.text, strlen(err.text));
        (void)written;
        _exit((int)rc.code);
    }
    (void)close(pipes[1]);
    ssize_t n = read(pipes[0], said, room - 1);
    said[n > 0 ? n : 0] = '\0';
    (void)close(pipes[0]);
    int status = 0;
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    return WEXITSTATUS(status);
}

Test(file, what_is_claimed_belongs_to_one_process_alone)
{
    char path[64];
    char want[128];
    char said[256];
    int fd = -1;
    struct iv_err err = {.text = ""};
    (void)snprintf(path, sizeof path, "/tmp/iv-claim-%ld", (long)getpid());
    (void)snprintf(want, sizeof want, "'%s' is held by process %ld", path, (long)getpid());

    cr_assert(iv_ok(iv_file_claim(&fd, path, &err)), "%s", err.text);
    cr_expect(eq(int, claim_elsewhere(path, said, sizeof said), (int)IV_E_BUSY));
    cr_expect(eq(str, said, want));
    (void)close(fd);
    cr_expect(eq(int, claim_elsewhere(path, said, sizeof said), (int)IV_CODE_OK), "%s", said);

    (void)unlink(path);
}

Test(file, what_cannot_be_claimed_says_why)
{
    int fd = -1;
    struct iv_err err = {.text = ""};

    cr_expect(eq(int, (int)iv_file_claim(&fd, "/nowhere/at all", &err).code, (int)IV_E_IO));
    cr_expect(eq(str, err.text, "cannot open '/nowhere/at all': No such file or directory"));
    cr_expect(eq(int, fd, -1));
}
