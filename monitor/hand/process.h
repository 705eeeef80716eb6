/* SPDX-License-Identifier: Apache-2.0 */
/* The hand's own process. Internal to hand/.
 * Each order is carried out by a child of its own, one after the other inside of it, so that nothing in here
 * waits for two things at once; the child sends the report itself. */
#pragma once

#include "confine/identity.h"
#include "hand/hand.h"

#include <stdio.h>

/* The first word of an order and of a report: both ends are one program. */
struct iv_hand_head {
    uint64_t id;
    enum iv_hand_verb verb;
    iv_ns timeout;
};
struct iv_hand_tail {
    uint64_t id;
    enum iv_hand_result result;
    int status;
};

_Noreturn void iv_hand_main(int fd, const struct iv_hand_options *options);

/* An order being carried out. */
#define IV_HAND_OUTPUT_MAX 65536
struct iv_job {
    const struct iv_hand_options *options;
    const struct iv_str *words;
    size_t count;
    iv_ns deadline; /* by the monotonic clock */
    /* Filled in: */
    enum iv_hand_result result;
    int status;
    char cause[512];
    char output[IV_HAND_OUTPUT_MAX];
    size_t output_n;
};
#define IV_JOB_END(job, how, ...)                                                                            \
    ((job)->result = (how), (void)snprintf((job)->cause, sizeof(job)->cause, __VA_ARGS__))

/* What is left until the deadline, in milliseconds for poll(); 0: it has come. */
int iv_job_left_ms(const struct iv_job *job);

void iv_job_run(struct iv_job *job);           /* command.c */
void iv_job_cgroup_kill(struct iv_job *job);   /* cgroup.c */
void iv_job_cgroup_freeze(struct iv_job *job); /* cgroup.c */
void iv_job_cgroup_thaw(struct iv_job *job);   /* cgroup.c */
void iv_job_oci_kill(struct iv_job *job);      /* oci.c */
void iv_job_oci_pause(struct iv_job *job);     /* oci.c */
void iv_job_oci_resume(struct iv_job *job);    /* oci.c */
void iv_job_vmm_pause(struct iv_job *job);     /* vmm.c */
void iv_job_vmm_resume(struct iv_job *job);    /* vmm.c */
void iv_job_vmm_snapshot(struct iv_job *job);  /* vmm.c */
void iv_job_vmm_kill(struct iv_job *job);      /* vmm.c */

/* orphans.c: kills all children of this process, and theirs as they become its own, and waits for them. */
void iv_orphans_end(void);

/* program.c: starts a program and waits for its end; at the deadline, or when it writes no end of output, its
 * group of processes is killed. words end with NULL. True: it has exited, job->status says how; what it wrote
 * is job's output, of which at most keep bytes are kept. False: job has ended. */
bool iv_program_run(struct iv_job *job, const char *const *words, const struct iv_identity *become,
                    size_t keep);
