/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes on a connection to the console are answered in HTTP or not at all, and who does not name the
 * token is told nothing of the store or the metrics, however requests are cut, joined or smuggled. Input:
 * what a client sends before it ends its side. The server, with its threads, is this process's own. */
#include "target.h"

#include "base/buf.h"
#include "console/console.h"
#include "console/metrics.h"
#include "evidence/store.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN "a-token-that-nobody-guesses"
#define ANSWER_MAX ((size_t)16 << 20)
#define SILENCE_MS 25
#define FIRST_MS 2000 /* what has a head gets an answer */

static struct iv_console *console;
static struct iv_metrics *metrics;
static struct iv_store *store;
static struct iv_buf answer;
static struct sockaddr_in address = {.sin_family = AF_INET};
static char folder[] = "/tmp/invigil-fuzz-XXXXXX";

static void path_of(char out[96], const char *name)
{
    (void)snprintf(out, 96, "%s/%s", folder, name);
}

static void tear_down(void)
{
    static const char *const names[] = {"store", "store-wal", "store-shm", "token"};
    iv_console_stop(console);
    iv_store_close(store);
    iv_metrics_free(metrics);
    iv_buf_deinit(&answer);
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        char path[96];
        path_of(path, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

static void set_up(void)
{
    char store_path[96];
    char token[96];
    struct iv_err err = {.text = ""};
    IV_CHECK(mkdtemp(folder) != NULL);
    path_of(store_path, "store");
    path_of(token, "token");
    FILE *file = fopen(token, "w");
    IV_CHECK(file != NULL && fputs(TOKEN "\n", file) >= 0 && fclose(file) == 0);
    IV_CHECK(iv_ok(iv_metrics_new(&metrics, &err)));
    IV_CHECK(iv_ok(iv_store_open(&store, iv_str_of(store_path), &err)));
    const struct iv_console_options options = {.listen = IV_STR("127.0.0.1:0"),
                                               .token_file = iv_str_of(token),
                                               .store_path = iv_str_of(store_path),
                                               .version = IV_STR("0"),
                                               .metrics = metrics,
                                               .idle_s = 5,
                                               .head_s = 5};
    IV_CHECK(iv_ok(iv_console_start(&console, &options, &err)));
    const char *port = strrchr(iv_console_url(console), ':');
    IV_CHECK(port != NULL && inet_pton(AF_INET, "127.0.0.1", &address.sin_addr) == 1);
    address.sin_port = htons((uint16_t)strtol(port + 1, NULL, 10));
    iv_buf_init(&answer, ANSWER_MAX);
    IV_CHECK(atexit(tear_down) == 0);
}

static bool has(struct iv_str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* The other side may end the connection before it has read everything. */
static void send_all(int fd, struct iv_str bytes)
{
    for (size_t at = 0; at < bytes.n;) {
        ssize_t n = send(fd, bytes.p + at, bytes.n - at, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        at += (size_t)n;
    }
}

/* Up to its end, or until nothing comes. A live stream has no end. */
static void receive_all(int fd, bool has_head)
{
    char piece[65536];
    iv_buf_clear(&answer);
    while (!has(iv_buf_slice(&answer), "text/event-stream")) {
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        if (poll(&waiting, 1, has_head && answer.n == 0 ? FIRST_MS : SILENCE_MS) <= 0) {
            return;
        }
        ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0) {
            return;
        }
        iv_buf_add(&answer, piece, (size_t)n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_str bytes = input_of(data, size);
    if (console == NULL) {
        set_up();
    }
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0}; /* or ports run out */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    IV_CHECK(fd >= 0);
    IV_CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    IV_CHECK(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    send_all(fd, bytes);
    receive_all(fd, has(bytes, "\r\n\r\n"));
    (void)close(fd);
    struct iv_str told = iv_buf_slice(&answer);
    IV_CHECK(told.n == 0 || (told.n > 12 && memcmp(told.p, "HTTP/1.", 7) == 0));
    if (!has(bytes, TOKEN)) {
        IV_CHECK(!has(told, "invigil_") && !has(told, "\"items\"") && !has(told, "text/event-stream"));
    }
    return 0;
}
