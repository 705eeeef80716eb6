/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts and the notices of them, as the store keeps them.
 * Purpose: what is wrong is one alert however often it is found; each sink that is told of it has a durable
 * queue of notices, in order for each alert, which lose nothing over restarts and outages.
 * Owner/thread: the writer's calls belong inside a transaction (store.h); rows are copied into the arena that
 * is given. Readers: as reader.h has it.
 * Not here: which finding is which alert and who is told (respond/alert/). */
#pragma once

#include "base/arena.h"
#include "evidence/reader.h"
#include "evidence/store.h"

#define IV_FINGERPRINT_HEX 32

struct iv_alert {
    struct iv_str fingerprint; /* IV_FINGERPRINT_HEX digits */
    struct iv_str rule;        /* or a condition of the monitor's own: "invigil.input-lost" */
    struct iv_str title;
    enum iv_severity severity;
    struct iv_str criteria; /* "CC6.1 CC6.3" */
    struct iv_str tenant;   /* empty: none; "*": many */
    struct iv_str agent;
    struct iv_str subject; /* of a condition: what it is about; of a finding: empty */
    enum iv_verdict_kind kind;
    struct iv_str finding; /* uid of the first since it fires; of a condition: empty */
    struct iv_str detail;  /* of a condition: what happened; of a finding: empty */
    int64_t count;         /* findings since it fires */
    int64_t open;          /* of them, not contradicted */
    bool firing;
    iv_ns started; /* wall clock, as all that follow */
    iv_ns last;
    iv_ns quiet_at; /* resolved then, unless it is found again; IV_NS_MAX: somebody will say so */
    iv_ns ended;    /* 0: it fires */
    struct iv_str cause;
};

/* One thing that a sink is to be told. */
struct iv_notice {
    int64_t id; /* never used again; 0: it was told before, and is told again lest the sink forget */
    int64_t attempt;
    iv_ns created;
    bool acknowledged; /* somebody has taken it up: nothing else is told. It fires */
    /* As it was then: firing, count, started, ended, cause and finding are the notice's own. */
    struct iv_alert alert;
};

/* Found again: *count is how often since it fires, with this time; 0: it does not fire. */
iv_rc iv_store_alert_again(struct iv_store *store, int64_t *count, struct iv_str fingerprint, iv_ns now,
                           iv_ns quiet_at, struct iv_err *err);
/* One of the findings since it fires is none any more: *open is how many are left; -1: it does not fire, or
 * did not when that finding was made. */
iv_rc iv_store_alert_less(struct iv_store *store, int64_t *open, struct iv_str fingerprint,
                          struct iv_str finding, struct iv_err *err);
/* IV_E_ABSENT: there is none. */
iv_rc iv_store_alert(struct iv_store *store, struct iv_alert *out, struct iv_str fingerprint,
                     struct iv_arena *arena, struct iv_err *err);
/* How many alerts of this rule fire. */
iv_rc iv_store_alerts_firing(struct iv_store *store, int64_t *out, struct iv_str rule, struct iv_err *err);
/* Writes the whole row, new or not. */
iv_rc iv_store_put_alert(struct iv_store *store, const struct iv_alert *alert, struct iv_err *err);
/* Up to limit that fire and whose quiet_at has come. */
iv_rc iv_store_alerts_quiet(struct iv_store *store, struct iv_alert **out, size_t *count, iv_ns now,
                            size_t limit, struct iv_arena *arena, struct iv_err *err);
/* Those that ended before then, and of which every sink knows, are forgotten. */
iv_rc iv_store_alerts_forget(struct iv_store *store, iv_ns before, struct iv_err *err);

/* Who is told: a sink more; nobody any more. */
iv_rc iv_store_add_target(struct iv_store *store, struct iv_str fingerprint, struct iv_str sink,
                          struct iv_err *err);
iv_rc iv_store_no_targets(struct iv_store *store, struct iv_str fingerprint, struct iv_err *err);
/* Queues a notice of the alert's row for each of its sinks, due then. Where the newest one that waits there
 * tells the same state of it, that one now tells the newer count. */
iv_rc iv_store_notify(struct iv_store *store, struct iv_str fingerprint, iv_ns now, iv_ns due,
                      struct iv_err *err);

/* Queues a notice for this sink, if it was told of the alert, that somebody has taken it up; not a second one
 * while the first waits. */
iv_rc iv_store_notify_acknowledged(struct iv_store *store, struct iv_str fingerprint, struct iv_str sink,
                                   iv_ns now, struct iv_err *err);

/* What somebody has done with a finding. */
struct iv_triaged {
    int64_t seq;
    /* SETTLED: closed, or suppressed by a waiver. NOTHING: nothing that concerns its alert. */
    enum { IV_TRIAGED_NOTHING, IV_TRIAGED_ACKNOWLEDGED, IV_TRIAGED_SETTLED } what;
    struct iv_str rule;
    struct iv_str tenant;
    struct iv_str agent;
    enum iv_verdict_kind kind;
    iv_ns detected;
};
/* Up to limit lines after that seq, oldest first; whatever they say, so that none is looked at again. */
iv_rc iv_store_triaged(struct iv_store *store, struct iv_triaged *out, size_t *count, int64_t after,
                       size_t limit, struct iv_arena *arena, struct iv_err *err);
iv_rc iv_store_triage_last(struct iv_store *store, int64_t *out, struct iv_err *err);
/* Whether a finding of the same rule, tenant, agent and kind, detected since, is neither closed nor waived.
 */
iv_rc iv_store_stands(struct iv_store *store, bool *out, const struct iv_triaged *like, iv_ns since,
                      struct iv_err *err);
/* The same of the findings of any tenant and agent for which no alert of their own fires. */
iv_rc iv_store_stands_beyond(struct iv_store *store, bool *out, const struct iv_triaged *like, iv_ns since,
                             struct iv_err *err);

/* How many notices of it wait, at all sinks. */
iv_rc iv_store_notices_of(struct iv_store *store, int64_t *out, struct iv_str fingerprint,
                          struct iv_err *err);

/* Up to limit that are due at this sink, earliest first; of an alert the oldest only, for they go in order.
 */
iv_rc iv_store_notices(struct iv_store *store, struct iv_notice **out, size_t *count, struct iv_str sink,
                       iv_ns now, size_t limit, struct iv_arena *arena, struct iv_err *err);
/* Up to limit that the sink was told of and is to be told again, firing or not. */
iv_rc iv_store_refreshes(struct iv_store *store, struct iv_notice **out, size_t *count, struct iv_str sink,
                         iv_ns now, size_t limit, struct iv_arena *arena, struct iv_err *err);
/* When the next notice, or telling again, is due there; IV_NS_MAX: none waits. */
iv_rc iv_store_next_notice(struct iv_store *store, iv_ns *out, struct iv_str sink, struct iv_err *err);
/* The sink has it: the notice leaves the queue, unless it has more to tell by now. refresh_at: when the sink
 * is to be told again; 0: never. */
iv_rc iv_store_notice_told(struct iv_store *store, const struct iv_notice *notice, struct iv_str sink,
                           iv_ns refresh_at, struct iv_err *err);
/* It will never take it. */
iv_rc iv_store_notice_refused(struct iv_store *store, const struct iv_notice *notice, struct iv_err *err);
/* It has failed, and is due again then. */
iv_rc iv_store_notice_again(struct iv_store *store, const struct iv_notice *notice, iv_ns due,
                            struct iv_str why, struct iv_err *err);

struct iv_alert_sink_state {
    struct iv_str name;
    struct iv_str kind;
    iv_ns succeeded; /* 0: never */
    iv_ns failing;   /* since when; 0: it is not */
    struct iv_str why;
    int64_t waiting; /* reader: notices in its queue */
    iv_ns oldest;    /* reader: when the oldest of them was made; 0: none waits */
};
/* A lesser time of success than is known changes nothing of that. */
iv_rc iv_store_put_sink(struct iv_store *store, const struct iv_alert_sink_state *sink, struct iv_err *err);
/* Since when it fails, as it was put last; 0: it does not, or there is none of this name. */
iv_rc iv_store_sink_failing(struct iv_store *store, iv_ns *out, struct iv_str name, struct iv_err *err);
/* One that is known keeps what is known of it. */
iv_rc iv_store_add_sink(struct iv_store *store, struct iv_str name, struct iv_str kind, struct iv_err *err);
/* What is not among these is forgotten, with what waited for it: *lost tells how many notices that were. */
iv_rc iv_store_keep_sinks(struct iv_store *store, int64_t *lost, const struct iv_str *names, size_t count,
                          struct iv_err *err);

/* The reading side. By state (firing first) and time, newest first. */
struct iv_alert_place {
    bool firing;
    iv_ns last;
    struct iv_str fingerprint; /* p NULL: before the first */
};
struct iv_alert_filter {
    struct iv_str rule; /* p NULL: any; so are the next ones */
    struct iv_str tenant;
    enum { IV_ALERTS_ANY, IV_ALERTS_FIRING, IV_ALERTS_RESOLVED } state;
    iv_ns from; /* when it was found or resolved last, from <= then < until; both 0: any */
    iv_ns until;
    struct iv_alert_place after;
    size_t limit; /* 0: 100 */
};
typedef bool (*iv_alert_visit)(void *ctx, const struct iv_alert *alert);
iv_rc iv_reader_alerts(struct iv_reader *reader, const struct iv_alert_filter *filter, iv_alert_visit visit,
                       void *ctx, struct iv_err *err);
typedef bool (*iv_alert_sink_visit)(void *ctx, const struct iv_alert_sink_state *sink);
iv_rc iv_reader_alert_sinks(struct iv_reader *reader, iv_alert_sink_visit visit, void *ctx,
                            struct iv_err *err);
iv_rc iv_reader_alerts_firing(struct iv_reader *reader, int64_t *out, struct iv_err *err);
