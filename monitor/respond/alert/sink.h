/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of alert sink: who can be told of an alert, and how.
 * Purpose: one descriptor for each kind, listed in sinks.def, in a folder of its own with its reference page.
 * Configuration, routing and the queue know nothing of any kind.
 * Owner/thread: descriptors are constant; a driver belongs to the one thread of its sink, which may wait for
 * an answer.
 * Guarantee: no secret of a sink gets into a delivery's sentence. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/alert.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct iv_web;
struct iv_wire;

enum iv_setting_form {
    IV_SETTING_TEXT,
    IV_SETTING_FILE,   /* a path, of what a library reads itself */
    IV_SETTING_SECRET, /* the key names a file, whose first line is the value */
    IV_SETTING_TEXTS,  /* a list, or one */
    IV_SETTING_FLAG,   /* true or false */
    IV_SETTING_CHOICE, /* one of choices; the first unless told */
    IV_SETTING_NUMBER, /* 0 to max */
};

/* What stands under the kind's key in the configuration. */
struct iv_setting {
    const char *name;
    enum iv_setting_form form;
    bool required;
    const char *const *choices;
    size_t choice_count;
    int64_t number; /* unless told */
    int64_t max;
    const char *doc;
};

#define IV_SETTINGS_MAX 12
struct iv_setting_value {
    struct iv_str text; /* TEXT, FILE, SECRET; p NULL: not given */
    const struct iv_str *items;
    size_t item_count;
    bool yes;
    size_t choice;
    int64_t number;
};

struct iv_sink_kind;

/* A sink that the configuration names. */
struct iv_alert_sink {
    struct iv_str name;
    const struct iv_sink_kind *kind;
    struct iv_setting_value values[IV_SETTINGS_MAX]; /* by the kind's settings */
};

enum iv_delivery_kind {
    IV_DELIVERY_TOLD,
    IV_DELIVERY_AGAIN,   /* nobody took it; somebody may later */
    IV_DELIVERY_REFUSED, /* it was understood, and will never be taken */
};
struct iv_delivery {
    enum iv_delivery_kind kind;
    iv_ns retry_after; /* AGAIN: asked for at least this long; 0: it was not */
    char why[256];     /* a sentence; empty where it was taken */
};

/* What a driver works with, besides its own. */
struct iv_sink_tools {
    const struct iv_alert_sink *sink;
    struct iv_web *web;       /* HTTP */
    struct iv_wire *wire;     /* anything else */
    const atomic_bool *ended; /* nobody waits for an answer any more */
    struct iv_clock clock;
    struct iv_str link; /* the console's address for people; p NULL: not known */
};

#define IV_SINK_BATCH_MAX 64

struct iv_sink_kind {
    const char *name; /* the key in the configuration */
    const char *doc;  /* one sentence */
    const struct iv_setting *settings;
    size_t setting_count;
    size_t batch;      /* notices of one delivery, at most IV_SINK_BATCH_MAX */
    iv_ns pace;        /* between the beginnings of two deliveries, at least */
    iv_ns refresh;     /* it forgets what it is not told again so often; 0: it does not forget */
    bool acknowledges; /* it is told, too, that somebody has taken an alert up */
    iv_ns remembers;   /* with refresh: for so long it is told again that something was resolved */

    /* What is wrong with the settings together. */
    iv_rc (*check)(const struct iv_alert_sink *sink, struct iv_err *err);
    iv_rc (*open)(void **driver, const struct iv_sink_tools *tools, struct iv_err *err);
    void (*close)(void *driver);
    /* Tells the sink of them, all or none. An error of class REJECT is of the notices, and refuses them; any
     * other is of this machine. */
    iv_rc (*deliver)(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err);
};

extern const struct iv_sink_kind *const iv_sink_kinds[];
extern const size_t iv_sink_kind_count;
const struct iv_sink_kind *iv_sink_kind(struct iv_str name); /* NULL: none */

/* AGAIN, with a sentence. */
void iv_delivery_again(struct iv_delivery *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void iv_delivery_refused(struct iv_delivery *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
