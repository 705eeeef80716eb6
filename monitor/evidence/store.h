/* SPDX-License-Identifier: Apache-2.0 */
/* The store's writing side: findings, dead letters, executions, the outbox and the input's positions, in
 * SQLite.
 * Purpose: what was found, what is to be done about it, what is to be sent, and how far the input was read
 * are one transaction: after a crash either all of a batch is there or none of it.
 * Owner/thread: one writer, shared by the threads of a process: iv_store_begin waits for the thread that is
 * inside a transaction. Everything between begin and commit belongs to the thread that began. Readers:
 * reader.h.
 * Guarantee: what was committed survives kill -9 and loss of power (WAL, synchronous=FULL). A file that is
 * damaged, foreign or of a newer version is refused with a sentence that names it.
 * Errors: IV_E_BUSY (another process writes, or no space is left: roll back, wait, do the batch again),
 * IV_E_STORE (fatal), IV_E_REFUSED (the path).
 * Not here: what the rows mean (finding.h, execution.h), sending (the app), acting (respond/). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/execution.h"
#include "evidence/finding.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_store;

/* Opens or creates the file and brings its schema up to date. The folder must exist. */
iv_rc iv_store_open(struct iv_store **out, struct iv_str path, struct iv_err *err);
/* How long a transaction waits for another process's at most [5 s], before it is IV_E_BUSY. */
void iv_store_patience(struct iv_store *store, iv_ns length);
void iv_store_close(struct iv_store *store);
void iv_store_closep(struct iv_store **store);

/* A transaction. After a failure of anything inside: roll back. Rollback without a transaction is fine. */
iv_rc iv_store_begin(struct iv_store *store, struct iv_err *err);
iv_rc iv_store_commit(struct iv_store *store, struct iv_err *err); /* a failed commit has rolled back */
void iv_store_rollback(struct iv_store *store);

enum iv_put {
    IV_PUT_NEW,     /* a uid that the store did not have, or as undecided, or from another process only */
    IV_PUT_UPDATED, /* more witnesses, or contradicted: the row was replaced */
    IV_PUT_SAME,    /* the store knew all of it: nothing is to be published or planned again */
};
/* By uid. Kinds only move forward: open, inconclusive, violated, updated, contradicted; an update must have
 * more witnesses than the row it replaces. So a replay after a crash changes nothing. */
iv_rc iv_store_put_finding(struct iv_store *store, enum iv_put *out, const struct iv_finding *finding,
                           struct iv_err *err);

/* Of a finding of another process, whoever shows it: what it is to the one that answers it. NEW the first
 * time that this is asked, or if it was undecided until now, UPDATED if it went on since, SAME if not. */
iv_rc iv_store_take_finding(struct iv_store *store, enum iv_put *out, const struct iv_finding *finding,
                            struct iv_err *err);

/* Appends the finding as it is told of. IV_E_ABSENT: there is none of this uid. */
iv_rc iv_store_finding_text(struct iv_store *store, struct iv_buf *out, struct iv_str uid,
                            struct iv_err *err);

/* json is the dead letter as it goes to its topic. By (topic, partition, offset): again is no change, *fresh
 * tells. */
struct iv_dead_letter {
    struct iv_str topic;
    int64_t partition;
    int64_t offset;
    struct iv_str reason;
    struct iv_str json;
    iv_ns time;  /* wall clock; reader and writer */
    int64_t seq; /* set by the store */
};
iv_rc iv_store_put_dead_letter(struct iv_store *store, bool *fresh, const struct iv_dead_letter *letter,
                               struct iv_err *err);

/* The next offset to read of a partition: all that was found before it is here. So a lesser one, of a process
 * that reads again, changes nothing. */
iv_rc iv_store_put_position(struct iv_store *store, struct iv_str topic, int64_t partition,
                            int64_t next_offset, struct iv_err *err);
/* IV_E_ABSENT: none is kept. */
iv_rc iv_store_position(struct iv_store *store, int64_t *next_offset, struct iv_str topic, int64_t partition,
                        struct iv_err *err);

/* Facts of one value: "baseline.digest". */
iv_rc iv_store_put_fact(struct iv_store *store, struct iv_str name, struct iv_str value, struct iv_err *err);
/* Appends the value. IV_E_ABSENT: there is none of this name. */
iv_rc iv_store_fact(struct iv_store *store, struct iv_buf *out, struct iv_str name, struct iv_err *err);

enum iv_channel {
    IV_CHANNEL_FINDING,
    IV_CHANNEL_DEAD_LETTER,
    IV_CHANNEL_ACTION,
    IV_CHANNEL_COVERAGE,
    IV_CHANNEL_COMMAND, /* of a playbook; the only one that names its topic */
};

struct iv_posting {
    int64_t id; /* set by the store, ascending */
    enum iv_channel channel;
    struct iv_str topic; /* COMMAND only; the others go to the configured topic of their channel */
    struct iv_str key;
    struct iv_str value;
    struct iv_str idempotency_key; /* goes into the header "idempotency-key"; empty: none */
    iv_ns time;                    /* wall clock when it was put there */
};
/* Inside a transaction. *id may be NULL. */
iv_rc iv_store_post(struct iv_store *store, int64_t *id, const struct iv_posting *message,
                    struct iv_err *err);

/* How many messages wait there, as of the last commit. From any thread. */
int64_t iv_store_outbox_count(const struct iv_store *store);

/* Calls visit for up to limit messages with an id above after, in order of id. Takes the writer for the
 * length of the call; visit must not call the store. */
typedef void (*iv_posting_fn)(void *ctx, const struct iv_posting *message);
iv_rc iv_store_outbox(struct iv_store *store, int64_t after, size_t limit, iv_posting_fn visit, void *ctx,
                      struct iv_err *err);
/* Inside a transaction: these were acknowledged by the broker. Unknown ids are fine. */
iv_rc iv_store_delivered(struct iv_store *store, const int64_t *ids, size_t count, struct iv_err *err);

/* Inside a transaction: nobody wants it sent any more. What a client has of it already may still arrive. */
iv_rc iv_store_withdraw(struct iv_store *store, int64_t id, struct iv_err *err);

/* Inside a transaction: the broker will never take these. They leave the outbox; a step that waits for one is
 * IV_TASKS_DELIVERED with IV_OUTBOX_REFUSED in its place. */
#define IV_OUTBOX_REFUSED INT64_C(-1)
iv_rc iv_store_undeliverable(struct iv_store *store, const int64_t *ids, size_t count, struct iv_err *err);

/* An execution with its steps; nothing happens where its key is known already: *fresh tells. One that was
 * only told of, and was not finished, is planned all the same. */
iv_rc iv_store_plan(struct iv_store *store, bool *fresh, const struct iv_execution *execution,
                    const struct iv_step *steps, size_t count, struct iv_err *err);
/* Whether something is at it already, before it is planned: an execution of the same playbook here that
 * answers this very finding (KNOWN), or one for the same target of the same tenant, on its way or done since
 * that time, which the finding now has joined (JOINED: *host, in the arena). Without a target nothing is
 * joined, nor is what was verified before the finding's event. */
enum iv_join { IV_JOIN_NOT, IV_JOIN_KNOWN, IV_JOIN_JOINED };
struct iv_arena;
iv_rc iv_store_join(struct iv_store *store, enum iv_join *out, struct iv_execution *host,
                    const struct iv_execution *planned, iv_ns since, struct iv_arena *arena,
                    struct iv_err *err);
/* What another process says of an execution of its own: it is shown, has no steps, and nobody here acts on
 * it. One that was planned here stays as it is (*ours). Without moves the state of a known one stays. */
iv_rc iv_store_tell_execution(struct iv_store *store, bool *ours, const struct iv_execution *execution,
                              bool moves, struct iv_err *err);
/* Replaces what changes in a row: state, cause, times; of a step also attempt,
 * due, outbox, status, answer, done, evidence. */
iv_rc iv_store_move_execution(struct iv_store *store, const struct iv_execution *execution,
                              struct iv_err *err);
iv_rc iv_store_move_step(struct iv_store *store, const struct iv_step *step, struct iv_err *err);
/* Appends to the log of changes; the message for the actions topic is posted by the caller. */
iv_rc iv_store_log_action(struct iv_store *store, const struct iv_action *action, struct iv_err *err);

/* A step together with its execution. */
struct iv_task {
    struct iv_execution execution;
    struct iv_step step;
};
enum iv_task_set {
    /* step DUE with due <= now, earliest first */
    IV_TASKS_DUE,
    /* CALLING and not handed to the outbox: after a restart, nobody knows how far they got */
    IV_TASKS_CALLING,
    /* CALLING, handed to the outbox, and gone from there: the broker has it, or never will */
    IV_TASKS_DELIVERED,
    /* CALLING, handed to the outbox, still there, and due <= now */
    IV_TASKS_OVERDUE,
    /* all of one execution, by position */
    IV_TASKS_OF,
};
/* Copies of up to limit of them, in the arena. Inside a transaction. key is for IV_TASKS_OF, now for
 * IV_TASKS_DUE and IV_TASKS_OVERDUE. */
iv_rc iv_store_tasks(struct iv_store *store, struct iv_task **out, size_t *count, enum iv_task_set set,
                     struct iv_str key, iv_ns now, size_t limit, struct iv_arena *arena, struct iv_err *err);
/* Inside a transaction: whatever was handed to the outbox and is CALLING is due a whole timeout from now.
 * *any: something was. */
iv_rc iv_store_renew_posted(struct iv_store *store, bool *any, iv_ns now, struct iv_err *err);
/* Inside a transaction: up to most of the steps that are due later, for this cause, are due now; the earliest
 * first. most below 0: all. */
iv_rc iv_store_lift(struct iv_store *store, int64_t *lifted, struct iv_str cause, int64_t most, iv_ns now,
                    struct iv_err *err);
/* When the next step is due; IV_NS_MAX: none waits. */
iv_rc iv_store_next_due(struct iv_store *store, iv_ns *out, struct iv_err *err);
