/* SPDX-License-Identifier: Apache-2.0 */
/* A kind of action: what a step of a playbook can do.
 * Purpose: one descriptor for each kind, listed in actions.def, in a folder of its own with its reference
 * page. The parser, the renderer and the responder know nothing of any kind.
 * Owner/thread: descriptors are constant; a call belongs to the responder's thread.
 *
 * A kind calls over HTTP (ask, judge), acts on this machine (order), or writes a message (message), which is
 * then delivered through the store's outbox. What carries calls is carriers.h. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "base/value.h"
#include "evidence/execution.h"
#include "evidence/store.h"
#include "respond/endpoint.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_hand_order;
struct iv_web_request;
struct iv_web_answer;

enum iv_parameter_form {
    IV_PARAMETER_NAME,     /* plain text, no templates */
    IV_PARAMETER_TEXT,     /* text with templates */
    IV_PARAMETER_SEGMENTS, /* a path below a folder; no template makes another segment of its own */
    IV_PARAMETER_PATH,     /* begins with "/"; templates are percent-encoded */
    IV_PARAMETER_HEADERS,  /* a map of text with templates; no control characters */
    IV_PARAMETER_JSON,     /* any JSON; templates in its strings */
};

/* What stands under the kind's key in a step. A request is an object with the rendered values under these
 * names. */
struct iv_parameter {
    const char *name;
    enum iv_parameter_form form;
    bool required;
    const char *doc;
};

/* What a parameter's value must be beyond its form (constraint.h). A playbook is held to it when it is
 * loaded, with "x" for each reference, and a step before it is called, with what came of them. */
struct iv_constraint {
    const char *parameter;
    bool (*holds)(const struct iv_val *value, struct iv_str *member); /* text, or whatever JSON it is */
    const char *must;                                                 /* "be a namespace's name" */
};

/* The one member of a request that could not be rendered: why. Such a step fails and calls nothing. */
#define IV_REQUEST_REFUSED "refused"
/* Where its endpoint was when it was planned. */
#define IV_REQUEST_ADDRESS "address"

/* How a call ended. */
enum iv_outcome_kind {
    IV_OUTCOME_DONE,
    IV_OUTCOME_ABSENT, /* there is nothing to act on, or no more */
    IV_OUTCOME_RETRY,
    IV_OUTCOME_FAILED,
    IV_OUTCOME_UNSUPPORTED,
};
struct iv_outcome {
    enum iv_outcome_kind kind;
    int64_t status;       /* of HTTP; 0: none */
    iv_ns retry_after;    /* RETRY: the other side asks for at least this long; 0: it does not */
    char cause[256];      /* a sentence; where it is done, empty or what that does not mean */
    struct iv_str answer; /* UTF-8, bounded, in the call's arena */
};

/* A step on its way, from start until its outcome was written down. */
struct iv_call {
    struct iv_arena arena;
    struct iv_task task;
    struct iv_val request;              /* the map that the step's parameters rendered to */
    const struct iv_endpoint *endpoint; /* that the request names; NULL: the kind has none */
    iv_ns now;                          /* wall clock at the start */
    bool finished;                      /* set by the carrier, with the outcome */
    bool postponed;                     /* it was not called: its endpoint is left alone for a while */
    bool heard;                         /* finished, and the endpoint's breaker knows */
    bool unmade;                        /* finished before anything was asked of the endpoint */
    struct iv_outcome outcome;
    void *transfer; /* the carrier's */
};

struct iv_action_kind {
    const char *name; /* the key in a step */
    const char *doc;  /* one sentence */
    const struct iv_parameter *parameters;
    size_t parameter_count;
    const struct iv_constraint *constraints;
    size_t constraint_count;

    /* HTTP: how the request looks, and what an answer means. The outcome is there already, as web/answer.h
     * has it, and judge corrects it; NULL: there is nothing to correct. */
    iv_rc (*ask)(struct iv_web_request *out, struct iv_call *call, struct iv_err *err);
    void (*judge)(struct iv_call *call, const struct iv_web_answer *answer);

    /* This machine: what the hand is to do. Its report is the outcome (local/local.h). */
    iv_rc (*order)(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err);

    /* Messages. */
    iv_rc (*message)(struct iv_posting *out, struct iv_call *call, struct iv_err *err);
};

extern const struct iv_action_kind *const iv_action_kinds[];
extern const size_t iv_action_kind_count;
const struct iv_action_kind *iv_action_kind(struct iv_str name); /* NULL: none */

/* A parameter of a request; NULL: not there. */
const struct iv_val *iv_request_get(const struct iv_val *request, const char *name);
struct iv_str iv_request_text(const struct iv_val *request,
                              const char *name); /* p NULL: not there or no text */
