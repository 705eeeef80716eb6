/* SPDX-License-Identifier: Apache-2.0 */
#include "hand/hand.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "hand/process.h"
#include "hand/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct iv_hand {
    pid_t pid;
    int fd;
};

bool iv_hand_wanted(const struct iv_hand_options *options)
{
    return options->command_count > 0 || options->cgroups.p != NULL || options->runtime.p != NULL ||
           options->sockets.p != NULL;
}

static iv_rc check_path(struct iv_str path, const char *what, struct iv_err *err)
{
    ENSURE(path.p == NULL || (path.n > 0 && path.p[0] == '/'), err, IV_E_REFUSED,
           "%s '" IV_STR_FMT "' must be an absolute path", what, IV_STR_ARG(path));
    return IV_OK;
}

iv_rc iv_hand_check(const struct iv_hand_options *options, struct iv_err *err)
{
    for (size_t i = 0; i < options->command_count; i++) {
        const struct iv_hand_command *c = &options->commands[i];
        struct iv_identity user;
        TRY(check_path(c->path, "the program", err));
        if (c->user.p != NULL) {
            TRY(iv_identity_find(&user, c->user, (struct iv_str){NULL, 0}, err));
            ENSURE(!user.change || geteuid() == 0, err, IV_E_REFUSED,
                   "only root can run '" IV_STR_FMT "' as another user, '%s'", IV_STR_ARG(c->name),
                   user.user);
        }
    }
    TRY(check_path(options->cgroups, "the folder of control groups", err));
    TRY(check_path(options->runtime, "the runtime of containers", err));
    TRY(check_path(options->containers, "the root of containers", err));
    return check_path(options->sockets, "the folder of sockets", err);
}

iv_rc iv_hand_start(struct iv_hand **out, const struct iv_hand_options *options, void (*wipe)(void *ctx),
                    void *ctx, struct iv_err *err)
{
    int pair[2];
    TRY(iv_hand_check(options, err));
    struct iv_hand *hand = iv_calloc(1, sizeof *hand);
    ENSURE(hand != NULL, err, IV_E_NOMEM, "cannot allocate the hand");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        iv_free(hand);
        return iv_err_set(err, IV_E_IO, "cannot make the socket of the hand: %s", strerror(errno));
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(pair[0]);
        if (wipe != NULL) {
            wipe(ctx);
        }
        iv_hand_main(pair[1], options);
    }
    (void)close(pair[1]);
    *hand = (struct iv_hand){pid, pair[0]};
    if (pid < 0) {
        (void)close(pair[0]);
        iv_free(hand);
        return iv_err_set(err, IV_E_NOMEM, "cannot start the hand: %s", strerror(errno));
    }
    *out = hand;
    return IV_OK;
}

void iv_hand_stop(struct iv_hand *hand)
{
    if (hand != NULL) {
        (void)close(hand->fd);
        while (waitpid(hand->pid, NULL, 0) < 0 && errno == EINTR) {
        }
        iv_free(hand);
    }
}

void iv_hand_stopp(struct iv_hand **hand)
{
    iv_hand_stop(*hand);
}

int iv_hand_fd(const struct iv_hand *hand)
{
    return hand->fd;
}

iv_rc iv_hand_send(struct iv_hand *hand, uint64_t id, const struct iv_hand_order *order, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf message;
    struct iv_hand_head head = {.id = id, .verb = order->verb, .timeout = order->timeout};
    iv_buf_init(&message, IV_HAND_MESSAGE_BYTES);
    iv_words_add(&message, (struct iv_str){(const char *)&head, sizeof head});
    for (size_t i = 0; i < order->count; i++) {
        iv_words_add(&message, order->words[i]);
    }
    TRY(iv_buf_check(&message, "an order to the hand", err));
    ssize_t n = send(hand->fd, message.p, message.n, MSG_DONTWAIT | MSG_NOSIGNAL);
    ENSURE(n >= 0 || (errno != EAGAIN && errno != ENOBUFS), err, IV_E_BUSY,
           "the hand has more to do than it takes at once");
    ENSURE(n >= 0, err, IV_E_STATE, "the hand, which acts on this machine, has ended: %s", strerror(errno));
    return IV_OK;
}

iv_rc iv_hand_receive(struct iv_hand *hand, struct iv_hand_report *out, bool *any, struct iv_buf *buffer,
                      struct iv_err *err)
{
    struct iv_words_list words;
    struct iv_hand_tail tail;
    iv_buf_clear(buffer);
    char *p = iv_buf_reserve(buffer, IV_HAND_MESSAGE_BYTES);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate a report of the hand");
    ssize_t n = recv(hand->fd, p, IV_HAND_MESSAGE_BYTES, MSG_DONTWAIT);
    *any = n > 0;
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return IV_OK;
    }
    ENSURE(n > 0, err, IV_E_STATE, "the hand, which acts on this machine, has ended");
    iv_buf_wrote(buffer, (size_t)n);
    bool good =
        iv_words_read(&words, iv_buf_slice(buffer)) && words.count == 3 && words.items[0].n == sizeof tail;
    ENSURE(good, err, IV_E_STATE, "the hand sent what is no report");
    memcpy(&tail, words.items[0].p, sizeof tail);
    ENSURE(tail.result < IV_HAND_RESULTS, err, IV_E_STATE, "the hand sent what is no report");
    *out = (struct iv_hand_report){tail.id, tail.result, tail.status, words.items[1], words.items[2]};
    return IV_OK;
}
