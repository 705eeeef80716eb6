/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots as files of one folder.
 * Purpose: a snapshot is there whole or not at all, whenever the process or the machine ends.
 * Owner/thread: none; each call stands for itself. One process at a time writes the snapshots of a cell.
 * Guarantee: a snapshot is written to a name of its own (".part"), brought to the disk, renamed, and the
 * folder is brought to the disk; only then the older ones may go. What reads sees whole snapshots only.
 * Files are for their owner alone: whoever reads one could make keys collide (engine/snapshot.h).
 * Not here: when a snapshot is taken, what is in it (frame.h). */
#pragma once

#include "vault/frame.h"

/* CELL.NUMBER.snapshot; the greatest number is the newest. A cell's name is of a-z, 0-9 and '-'. */
#define IV_VAULT_KEPT_MAX 16

/* Makes the folder where it is not there (its parent must be), and removes what crashed writers left: once,
 * before this process writes there. IV_E_REFUSED: it cannot be written to. */
iv_rc iv_vault_folder_open(struct iv_str path, struct iv_err *err);
/* Removes what this process, which is gone, has left; other writers are at work. */
void iv_vault_folder_clear(struct iv_str path, long writer);

/* The numbers of a cell's snapshots, the newest first, as many as fit. */
iv_rc iv_vault_folder_list(struct iv_str path, struct iv_str cell, uint64_t *numbers, size_t room,
                           size_t *count, struct iv_err *err);

/* A snapshot that is being written. */
struct iv_vault_file {
    int fd;
    char part[4096];
    char path[4096];
    char folder[4096];
    uint64_t number;
};

/* Begins one; the file is a sink of blocks (ctx). IV_E_IO. */
iv_rc iv_vault_file_open(struct iv_vault_file *file, struct iv_str folder, struct iv_str cell,
                         uint64_t number, struct iv_err *err);
iv_rc iv_vault_file_sink(void *file, struct iv_str block, struct iv_err *err);
/* To the disk, under its part's name. */
iv_rc iv_vault_file_sync(struct iv_vault_file *file, struct iv_err *err);
/* Under its own name from now on. */
iv_rc iv_vault_file_publish(struct iv_vault_file *file, struct iv_err *err);
/* Removes the part where it was not published. */
void iv_vault_file_close(struct iv_vault_file *file);

/* Removes a cell's snapshots but for the `keep` newest. */
iv_rc iv_vault_folder_prune(struct iv_str path, struct iv_str cell, size_t keep, struct iv_err *err);

/* Reads one into a fresh reader, and gives its blocks to the sink where there is one, each after it was
 * checked. The sentences name the file. IV_E_MALFORMED: it is damaged or of a newer version. IV_E_ABSENT,
 * IV_E_IO, IV_E_NOMEM, and what the sink answers. */
iv_rc iv_vault_file_read(struct iv_vault_reader *r, struct iv_str folder, struct iv_str cell, uint64_t number,
                         iv_vault_sink_fn sink, void *ctx, struct iv_err *err);
