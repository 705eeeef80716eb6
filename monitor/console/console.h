/* SPDX-License-Identifier: Apache-2.0 */
/* The console: health, metrics, the API, the live stream and the page, over HTTP.
 * Purpose: show what was found and what was done about it, from the store, and how the monitor itself is
 * doing.
 * Owner/thread: started and stopped by one thread; every other call may come from any thread at any time
 * between.
 * Guarantee: reads the store through connections of its own, and writes to it only what somebody changes
 * through it, with the record of who did, and sums of what is there; a client that reads slowly or not at all
 * holds a bounded buffer and nothing else, and all answers together a bounded one; a stream that resumes
 * misses nothing that the store holds. But for health, nothing is served to who is not known. Without TLS it
 * listens on a loopback address only: anything else is refused at the start. Not here: counting (metrics.h),
 * which the threads of the app do; keeping (evidence/); acting (respond/). Source: contract "Interfaces",
 * what it emits; dashboards/openapi.yaml describes the routes. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct iv_metrics;
struct iv_console;

/* Everything is copied or read during iv_console_start, the metrics apart. Empty or zero: the default in
 * brackets. */
struct iv_console_options {
    /* "ADDRESS:PORT" or "[ADDRESS]:PORT", numeric or "localhost"; port 0: any free one ["127.0.0.1:8088"] */
    struct iv_str listen;
    /* PEM files. certificate with key: HTTPS, TLS 1.2 or later [plain HTTP]; client_ca: only clients with a
     * certificate under it are served [none] */
    struct iv_str certificate;
    struct iv_str key;
    struct iv_str client_ca;
    /* Its first line is a token with which one may do everything, as "Authorization: Bearer TOKEN" or as the
     * password of Basic [none] */
    struct iv_str token_file;
    bool instruments;                /* health and metrics alone: no API, no page */
    bool open;                       /* without authentication, and on a loopback address only: for demos */
    struct iv_str store_path;        /* of the SQLite store, which must exist */
    struct iv_str pause_file;        /* while it exists nothing is called, as everybody is told [none] */
    struct iv_str version;           /* of the program */
    unsigned workers;                /* that detect in this process [0: it does not] */
    struct iv_metrics *metrics;      /* borrowed: outlives the console */
    unsigned threads;                /* [2] */
    unsigned max_connections;        /* [512] */
    unsigned max_connections_per_ip; /* [256] */
    unsigned max_streams_per_name;   /* live streams of one user or program [two thirds of all] */
    unsigned max_answers_mib;        /* what answers that clients have not taken yet may hold together [64] */
    unsigned idle_s;                 /* a connection without progress is closed after [30] */
    unsigned head_s;                 /* a request's head must be complete within [10] */
    unsigned answer_ms;              /* reading the store for one answer may take [2000]; beyond, it is 503 */
    unsigned pulse_ms;               /* between two "status" events of the live stream [2000] */
};

/* IV_E_REFUSED: the options cannot be served as they are, and the sentence says what to change. */
iv_rc iv_console_start(struct iv_console **out, const struct iv_console_options *options, struct iv_err *err);
/* Whether a start with these options would be refused: the address, the certificates, the token. Starts
 * nothing. */
iv_rc iv_console_check(const struct iv_console_options *options, struct iv_err *err);
/* Ends the streams, waits for its threads, frees. NULL is fine. */
void iv_console_stop(struct iv_console *console);

/* "http://127.0.0.1:8088", with the port that was really bound. Valid until stop. */
const char *iv_console_url(const struct iv_console *console);

/* Something was committed to the store: the live streams look at once. Cheap; call it after each commit. */
void iv_console_notify(struct iv_console *console);

/* What /readyz answers: NULL is ready; else a short reason ("waiting for the broker").
 * Not ready until told. */
void iv_console_ready(struct iv_console *console, const char *why_not);
/* The part of the monitor that does not get on, so that the process is not healthy; NULL: all do. */
void iv_console_standing(struct iv_console *console, const char *part);

/* A rule in force, as the page shows it. */
struct iv_console_rule {
    struct iv_str id;
    struct iv_str title;
    struct iv_str description;
    struct iv_str severity; /* "critical" … "info" */
    struct iv_str mode;     /* "enforce" or "observe" */
    struct iv_str pack;
    struct iv_str source;    /* its YAML */
    struct iv_str remediate; /* p NULL: no playbook */
    const struct iv_str *criteria;
    size_t criteria_count;
    unsigned streams; /* that carry its triggers or partners: a bit 1 << enum iv_stream each */
};

struct iv_console_baseline {
    struct iv_str name;
    struct iv_str version;
    struct iv_str digest; /* hex */
    const struct iv_console_rule *rules;
    size_t rule_count;
};

/* The baseline in force, at the start and after each reload. Copied. */
iv_rc iv_console_baseline(struct iv_console *console, const struct iv_console_baseline *baseline,
                          struct iv_err *err);

/* How the last reload ended. Copied. */
struct iv_console_reload {
    bool accepted; /* else the baseline before it stayed in force, */
    iv_ns time;
    struct iv_str reason; /* for this reason */
};
void iv_console_reload(struct iv_console *console, const struct iv_console_reload *reload);
