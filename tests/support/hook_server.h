/* SPDX-License-Identifier: Apache-2.0 */
/* A hook as tests need it: answers each connection by a script, and remembers what it was sent.
 * One thread; one request on each connection, then it closes. */
#pragma once

#include <stddef.h>

enum hook_answer_kind {
    HOOK_SEND,   /* text, then close */
    HOOK_HANG,   /* read the request, answer nothing until the server stops */
    HOOK_FLOOD,  /* 200, then 10 MB of body */
    HOOK_REFUSE, /* close before reading anything */
};

struct hook_answer {
    enum hook_answer_kind kind;
    const char *text; /* HOOK_SEND: the whole answer, status line and all */
};

#define HOOK_OK ((struct hook_answer){HOOK_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"})
#define HOOK_STATUS(line) ((struct hook_answer){HOOK_SEND, "HTTP/1.1 " line "\r\nContent-Length: 0\r\n\r\n"})

#define HOOK_REQUESTS_MAX 64
#define HOOK_REQUEST_BYTES 8192

struct hook_server;

/* The i-th connection is answered by the i-th answer; those after the last by the last. */
struct hook_server *hook_start(const struct hook_answer *answers, size_t count);
void hook_stop(struct hook_server *server);
void hook_stopp(struct hook_server **server);
const char *hook_url(const struct hook_server *server); /* http://127.0.0.1:PORT */

/* Requests so far, and one of them whole: head and body. */
size_t hook_count(struct hook_server *server);
const char *hook_request(struct hook_server *server, size_t index);
/* The value of a header of it, copied into out; empty where it is not there. */
void hook_header(char *out, size_t size, struct hook_server *server, size_t index, const char *name);
const char *hook_body(struct hook_server *server, size_t index);
