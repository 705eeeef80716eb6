/* SPDX-License-Identifier: Apache-2.0 */
/* What the console's own files share: the server, one request, one reply.
 * Owner/thread: the server belongs to whoever started it; a request and its reply to the thread that answers
 * it. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "console/console.h"
#include "console/coverage.h"
#include "console/metrics.h"
#include "console/roles.h"
#include "evidence/access.h"

#include <microhttpd.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

enum { IV_QUERY_MAX = 16, IV_TOKEN_BYTES_MAX = 512 };

struct iv_peer;
struct iv_chunk;
struct iv_chunks;
struct iv_live;
struct iv_readers;
struct iv_tries;
struct iv_catalogue;
struct iv_decoder;
struct iv_flight;
struct iv_store;
struct iv_uses;

struct iv_console {
    struct MHD_Daemon *daemon;
    int listen_fd;
    bool instruments; /* health and metrics alone */
    unsigned workers; /* that detect here; 0: what is counted of detecting is not known here */
    bool open;        /* on this machine everybody may do everything */
    char url[96];
    char host[64]; /* as listened on, without the port; for the check of Host */
    struct iv_buf certificate;
    struct iv_buf key;
    struct iv_buf client_ca;
    char token[IV_TOKEN_BYTES_MAX];
    size_t token_n; /* 0: no token is asked for */
    char version[64];
    iv_ns idle;
    iv_ns head;
    iv_ns pulse;
    struct iv_metrics *metrics;
    struct iv_readers *readers;
    struct iv_chunks *chunks;
    char *store_path;
    char *pause_file;               /* NULL: there is none */
    struct iv_catalogue *catalogue; /* without types, for the decoder */

    pthread_mutex_t body_lock; /* the decoder */
    struct iv_decoder *decoder;
    pthread_mutex_t writer_lock; /* that there is a writer */
    struct iv_store *writer;     /* opened by the first change; NULL: there was none */
    struct iv_tries *tries;      /* log-ins that failed, and wrong tokens */
    pthread_mutex_t flight_lock; /* the next two */
    struct iv_flight *flights;   /* large answers on their way (flight.h), */
    size_t flight;               /* what they hold, */
    size_t flight_max;           /* and may hold */
    struct iv_uses *uses;        /* of sessions, that the store does not have yet */
    sem_t hashing;               /* how many passwords more may be looked at now (hashing.h) */
    struct iv_user nobody;       /* whose password no one has */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t tick;  /* ends the pulse thread's wait */
    pthread_t pulse_thread;
    bool pulse_started;
    bool stopping;
    bool hurried;                             /* the pulse thread does not wait */
    char not_ready[640];                      /* empty: ready */
    char standing[64];                        /* the part that does not get on; empty: none */
    struct iv_buf baseline;                   /* JSON; empty: none yet */
    struct iv_coverage_rules *coverage_rules; /* NULL: none yet */
    char digest[100];                         /* of the baseline, hex */
    iv_ns reloaded;                           /* when the last reload ended; 0: there was none */
    bool reload_accepted;
    char reload_reason[512];
    struct iv_peer *peers;
    struct iv_live *lives;
    size_t live_count;
    size_t live_max;
    size_t live_max_each;    /* of one name */
    uint64_t generation;     /* grows whenever the store may have grown */
    struct iv_chunk *status; /* the newest, as an event of the live stream; NULL: none yet */
    uint64_t status_number;
    double events_per_s;
    struct {
        iv_ns at;
        double events;
    } samples[8]; /* for events_per_s, a ring */
    size_t sample_count;
};

struct iv_param {
    struct iv_str name;
    struct iv_str value;
};

struct iv_request {
    struct iv_console *console;
    struct MHD_Connection *connection;
    const char *method;     /* "GET" also for HEAD */
    bool head;              /* HEAD: the headers of a GET without its body */
    struct iv_who who;      /* asks */
    struct iv_str variable; /* what stands for {…} in the route's path */
    struct iv_param params[IV_QUERY_MAX];
    size_t param_count;
    struct iv_str body;     /* as it came; read by iv_body_read */
    struct iv_arena memory; /* for what is read of it */
};

/* Filled by a handler. The body is handed to the HTTP library, or released with the reply. */
struct iv_reply {
    unsigned status;
    const char *type;          /* of the body */
    const char *cache_control; /* NULL: "no-store" */
    const char *encoding;      /* "gzip" or NULL */
    char allow[64];            /* of a 405 */
    unsigned retry_after;      /* seconds, of a 429 or 503; 0: none */
    char cookie[192];          /* Set-Cookie; empty: none */
    const char *challenge;     /* of a 401 */
    bool close;                /* the connection ends with this reply */
    bool tagged;               /* an ETag is made from the body, and If-None-Match answered with 304 */
    struct iv_buf body;
    struct iv_str fixed;           /* in place of body: bytes that live as long as the program */
    const char *fixed_tag;         /* their ETag */
    struct MHD_Response *response; /* in place of either: a stream */
};

/* A problem document (RFC 9457) in place of whatever the reply held. */
void iv_reply_problem(struct iv_reply *reply, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The problem that an error is: a refused parameter is 400, a store that is busy 503, the rest 500 and
 * logged. */
void iv_reply_failure(struct iv_reply *reply, const struct iv_err *err);
/* Queues it, with the headers that every reply carries. */
enum MHD_Result iv_reply_send(struct iv_reply *reply, struct iv_request *request);
