/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "daemon/notify.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cr_assert(lt(sz, strlen(path), sizeof address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert(ge(int, fd, 0));
    cr_assert(eq(int, bind(fd, (const struct sockaddr *)&address, sizeof address), 0));
    return fd;
}

static const char *heard(int manager)
{
    static char words[512];
    ssize_t n = recv(manager, words, sizeof words - 1, 0);
    words[n < 0 ? 0 : n] = '\0';
    return words;
}

/* A service manager that listens in a folder of its own and wants a sign of life every 20 s. */
static int begin_manager(struct scratch *dir)
{
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
    *dir = scratch_make();
    (void)snprintf(path, sizeof path, "%s/notify", dir->path);
    cr_assert(eq(int, setenv("NOTIFY_SOCKET", path, 1), 0));
    cr_assert(eq(int, setenv("WATCHDOG_USEC", "20000000", 1), 0));
    return manager_at(path);
}

Test(notify, nobody_asked)
{
    struct iv_notify notify;
    cr_assert(eq(int, unsetenv("NOTIFY_SOCKET"), 0));

    cr_assert(iv_ok(iv_notify_open(&notify, NULL)));

    cr_expect(eq(int, notify.fd, -1));
    cr_expect(eq(i64, notify.alive_every, 0));
    iv_notify_ready(&notify, "watching");
    iv_notify_alive(&notify);
    iv_notify_close(&notify);
}

Test(notify, the_words_are_those_of_the_protocol)
{
    IV_AUTO(scratch_remove) struct scratch dir;
    struct iv_notify notify;
    int manager = begin_manager(&dir);
    cr_assert(iv_ok(iv_notify_open(&notify, NULL)));

    cr_expect(eq(i64, notify.alive_every, 5 * IV_NS_PER_S), "well under half of the manager's 20 s");
    iv_notify_ready(&notify, "watching");
    cr_expect(eq(str, (char *)heard(manager), "READY=1\nSTATUS=watching"));
    iv_notify_reloading(&notify, 1234567);
    cr_expect(eq(str, (char *)heard(manager), "RELOADING=1\nMONOTONIC_USEC=1234"));
    iv_notify_alive(&notify);
    cr_expect(eq(str, (char *)heard(manager), "WATCHDOG=1"));
    iv_notify_stopping(&notify);
    cr_expect(eq(str, (char *)heard(manager), "STOPPING=1\nSTATUS=making durable what was read"));
    iv_notify_close(&notify);
    (void)close(manager);
}

Test(notify, another_process_s_watchdog_is_none_of_ours)
{
    IV_AUTO(scratch_remove) struct scratch dir;
    struct iv_notify notify;
    int manager = begin_manager(&dir);
    cr_assert(eq(int, setenv("WATCHDOG_PID", "1", 1), 0));

    cr_assert(iv_ok(iv_notify_open(&notify, NULL)));

    cr_expect(eq(i64, notify.alive_every, 0));
    iv_notify_close(&notify);
    (void)close(manager);
}

Test(notify, what_is_no_socket_or_no_time_is_refused)
{
    static const struct {
        const char *socket;
        const char *time;
        enum iv_code want;
        const char *says;
    } rows[] = {
        {"notify", "1000000", IV_E_REFUSED, "NOTIFY_SOCKET is 'notify', which is neither an absolute path"},
        {"@", "1000000", IV_E_REFUSED, "NOTIFY_SOCKET is '@'"},
        {"/nowhere/notify", "1000000", IV_E_IO, "cannot connect to NOTIFY_SOCKET '/nowhere/notify': No such"},
        {"/nowhere/notify", "soon", IV_E_REFUSED, "WATCHDOG_USEC is 'soon', which is no positive number"},
        {"/nowhere/notify", "-1", IV_E_REFUSED, "WATCHDOG_USEC is '-1'"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_notify notify;
        struct iv_err err = {.text = ""};
        cr_assert(eq(int, setenv("NOTIFY_SOCKET", rows[i].socket, 1), 0));
        cr_assert(eq(int, setenv("WATCHDOG_USEC", rows[i].time, 1), 0));

        struct iv_rc_s rc = iv_notify_open(&notify, &err);

        cr_expect(eq(int, (int)rc.code, (int)rows[i].want), "row %zu", i);
        cr_expect(ne(ptr, strstr(err.text, rows[i].says), NULL), "%s", err.text);
    }
}
