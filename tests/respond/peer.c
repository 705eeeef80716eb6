/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/peer.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void next_line(struct peer *peer)
{
    cr_assert(fgets(peer->line, sizeof peer->line, peer->out) != NULL, "the peer has ended");
    peer->line[strcspn(peer->line, "\n")] = '\0';
}

void peer_skip(const char *why)
{
    (void)fprintf(stderr, "SKIPPED: %s\n", why);
    cr_skip();
}

void peer_missing(const char *what)
{
    cr_assert(getenv("IV_INSTALLED") == NULL, "%s is not there, and tests/run is to have installed it", what);
    peer_skip(what);
}

void peer_tree(const char *package)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/node_modules/%s/package.json", IV_PEERS, package);
    if (access(path, R_OK) != 0) {
        peer_missing(package);
    }
}

struct peer peer_start(const char *const *words)
{
    struct peer peer = {.line = ""};
    int in[2];
    int out[2];
    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    peer.pid = fork();
    cr_assert(peer.pid >= 0);
    if (peer.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    peer.in = fdopen(in[1], "w");
    peer.out = fdopen(out[0], "r");
    cr_assert(peer.in != NULL && peer.out != NULL);
    next_line(&peer);
    return peer;
}

struct peer peer_node(const char *script, const char *argument)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", IV_PEERS, script);
    return peer_start((const char *const[]){"node", path, argument, NULL});
}

const char *peer_ask(struct peer *peer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(peer->in, format, arguments);
    va_end(arguments);
    (void)fputc('\n', peer->in);
    (void)fflush(peer->in);
    next_line(peer);
    return peer->line;
}

void peer_stop(struct peer *peer)
{
    (void)fclose(peer->in);
    (void)fclose(peer->out);
    (void)waitpid(peer->pid, NULL, 0);
}
