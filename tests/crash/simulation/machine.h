/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor without its threads: the product's cell, keeper, publisher and responder on the product's store,
 * each making a turn when it is told to. Snapshots have the product's form; the files are the test's.
 * Owner/thread: one at a time, one thread.
 * Guarantee: what a machine has is gone when it is killed, but for its disk. A turn that answers an error has
 * ended the process, as it would the daemon, and the error says why.
 * Not here: what is around it (outside.h), when what happens (simulation.c). */
#pragma once

#include "outside.h"
#include "support/disk.h"

#include "daemon/config.h"
#include "daemon/keep_step.h"
#include "daemon/publish_step.h"
#include "detect/cell.h"
#include "respond/playbook.h"
#include "respond/responder.h"

#define MACHINE_GROUP 8
#define MACHINE_QUEUE 256

#define VAULT_KEPT 2
#define VAULT_BYTES ((size_t)64 << 20)

/* Snapshots that have their names, the oldest first, and one that waits for it. */
struct vault {
    struct iv_buf kept[VAULT_KEPT];
    size_t count;
    struct iv_buf written;
    bool has_written;
    uint64_t awaits; /* the commit that must be durable first */
    uint64_t restored;
    uint64_t refused;
};
void vault_deinit(struct vault *vault);

struct machine {
    struct outside *outside;
    struct disk *disk;
    struct vault *vault;
    struct iv_str path; /* of its store, on the disk */
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks;
    const int32_t *partitions; /* of each stream */
    struct iv_config config;
    struct iv_endpoint endpoint;

    /* Of the process. */
    bool up;
    struct iv_store *store;
    struct iv_metrics *metrics;
    struct iv_handoff *commits;
    atomic_uint_fast64_t kept;
    struct iv_outlet outlet;
    bool has_outlet;
    struct iv_site site;
    struct iv_cell *cell;
    struct iv_keep_step keep;
    struct iv_commit *group[MACHINE_GROUP]; /* in the keeper's hands */
    size_t group_count;
    struct iv_publish_step *publish;
    struct iv_responder *responder;
    bool moved; /* something was written or read in a turn since this was reset */
};

void machine_init(struct machine *m, struct outside *outside, struct disk *disk, struct vault *vault,
                  struct iv_str path);
iv_rc machine_boot(struct machine *m, struct iv_err *err);
/* kill -9, or with power: that of all around it. */
void machine_kill(struct machine *m, bool power, uint64_t seed);

iv_rc machine_detect(struct machine *m, struct iv_err *err);
iv_rc machine_keep(struct machine *m, struct iv_err *err);
/* Takes a snapshot, or gives one its name that may have it by now. */
iv_rc machine_save(struct machine *m, struct iv_err *err);
iv_rc machine_publish(struct machine *m, struct iv_err *err);
iv_rc machine_act(struct machine *m, struct iv_err *err);
/* The partitions are taken away, or given back; lost: meanwhile they were somebody else's. */
iv_rc machine_revoke(struct machine *m, struct iv_err *err);
iv_rc machine_assign(struct machine *m, bool lost, struct iv_err *err);
