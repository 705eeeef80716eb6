/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's configuration: one YAML file, read once, then immutable.
 * Purpose: parse, default, check; a message for every mistake, all in one run.
 * Owner/thread: the main thread makes it; then shared.
 * Source: contract "Interfaces", configuration. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "confine/confine.h"
#include "hand/hand.h"
#include "respond/endpoint.h"
#include "stream/property.h"

#include <stdbool.h>

struct iv_alerting;
struct iv_problems;
struct iv_signer;

enum iv_role { IV_ROLE_DETECT = 1, IV_ROLE_RESPOND = 2, IV_ROLE_CONSOLE = 4 };

struct iv_config {
    struct iv_arena arena; /* owns all that follows */
    struct iv_str baseline;
    /* Every librdkafka property passes through; NAME_file: FILE sets NAME to the file's first line. */
    struct iv_property *kafka;
    size_t kafka_count;
    struct {
        struct iv_str ledger; /* p NULL: the baseline says */
        struct iv_str telemetry;
        struct iv_str findings;
        struct iv_str actions;
        struct iv_str dead_letter;
        struct iv_str exchange;
        struct iv_str coverage;  /* n 0: nobody is told */
        struct iv_str snapshots; /* n 0: they are files of this machine only */
    } topics;
    int64_t workers;
    int64_t memory_limit; /* bytes that the engines' state may have; 0: no limit */
    int64_t verifiers;    /* threads that verify signatures beside the other rules */
    unsigned roles;       /* enum iv_role, or-ed */
    struct iv_str store_path;
    struct {
        struct iv_str path; /* a folder */
        iv_ns every;
        int64_t keep;
    } snapshots;
    struct {
        struct iv_str listen;
        bool asked_for; /* listen stands in the file: health and metrics are served in any role */
        struct iv_str certificate;
        struct iv_str key;
        struct iv_str client_ca;
        struct iv_str token_file;
        bool open; /* without authentication: never said by a file */
    } console;
    iv_ns canary_every;       /* 0: none is planted */
    struct iv_signer *signer; /* of signing_key_file; NULL: none */
    struct {
        bool dry_run;             /* every call of a playbook is withheld */
        struct iv_str pause_file; /* p NULL: there is none */
    } respond;
    struct iv_endpoint *endpoints;
    size_t endpoint_count;
    struct iv_alerting *alerts;   /* NULL: none */
    struct iv_hand_options local; /* what may be done on this machine */
    struct iv_str user;           /* p NULL: stays who starts it */
    struct iv_str group;
    enum iv_confine_mode confinement;
    enum iv_log_level log_level;
    enum iv_log_format log_format;
};

/* path NULL: /etc/invigil/invigil.yaml. roles: "detect,console" instead of what the file says, or NULL.
 * "${NAME}" in a value stands for the environment's variable. Secrets are read from their files here; those
 * of endpoints and of alert sinks only for the role respond, without which there are no sinks at all.
 * IV_E_REFUSED: problems has all that is wrong, and *out, where it was set, what could be read: to look at
 * what that names, for a person who wants to know all at once. */
iv_rc iv_config_load(struct iv_config **out, const char *path, const char *roles,
                     struct iv_problems *problems, struct iv_err *err);
/* Appends the roles, as that would have them. */
void iv_config_roles(struct iv_buf *out, const struct iv_config *config);
/* Takes the secrets out of the process's memory, for good. */
void iv_config_wipe(struct iv_config *config);
void iv_config_free(struct iv_config *config);
void iv_config_freep(struct iv_config **config);
