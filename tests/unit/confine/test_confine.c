/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "confine/confine.h"
#include "probes.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED (1000 + SIGSYS)
#define NOT_CONFINED 250

struct stage {
    struct scratch reads;
    struct scratch writes;
    struct scratch outside;
    struct iv_str read_items[1];
    struct iv_str write_items[1];
    struct iv_confine_options options;
    struct probe_place place;
};

static void stage_open(struct stage *s)
{
    s->reads = scratch_make();
    s->writes = scratch_make();
    s->outside = scratch_make();
    scratch_write(&s->reads, "inside", IV_STR("a"));
    scratch_write(&s->outside, "inside", IV_STR("b"));
    s->read_items[0] = iv_str_of(s->reads.path);
    s->write_items[0] = iv_str_of(s->writes.path);
    s->options = (struct iv_confine_options){
        .reads = {s->read_items, 1}, .writes = {s->write_items, 1}, .listens = true, .port = 0};
    s->place = (struct probe_place){s->reads.path, s->writes.path, s->outside.path};
}

static void stage_close(struct stage *s)
{
    scratch_remove(&s->reads);
    scratch_remove(&s->writes);
    scratch_remove(&s->outside);
}

/* In a child, confined: errno of the probe, 0 where it worked, KILLED where it ended the child. */
static int tried(const struct stage *s, probe_fn probe)
{
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct iv_confined in_force;
        struct iv_err err = {.text = ""};
        if (!iv_ok(iv_confine(&in_force, &s->options, &err))) {
            (void)fprintf(stderr, "%s\n", err.text);
            _exit(NOT_CONFINED);
        }
        _exit(probe(&s->place));
    }
    int status = 0;
    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));
    return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int landlock_abi(void)
{
    struct iv_confined will;
    iv_confine_preview(&will, &(struct iv_confine_options){.mode = IV_CONFINE_ENFORCE});
    return will.landlock_abi;
}

static const struct {
    const char *name;
    probe_fn probe;
    int want;
    int abi;         /* of Landlock; 0: by seccomp or the kernel's own rights */
    bool sanitizers; /* is allowed in a build that has them */
} forbidden[] = {
    {"exec", probe_exec, KILLED, 0, false},
    {"posix_spawn", probe_posix_spawn, ENOSYS, 0, false},
    {"ptrace", probe_ptrace, KILLED, 0, true},
    {"another process's memory", probe_read_memory, KILLED, 0, true},
    {"AF_PACKET", probe_packet_socket, KILLED, 0, false},
    {"netlink, audit", probe_netlink_audit, ENOSYS, 0, false},
    {"user namespace", probe_user_namespace, KILLED, 0, false},
    {"user namespace by clone", probe_namespace_by_clone, ENOSYS, 0, false},
    {"io_uring", probe_io_uring, KILLED, 0, false},
    {"bpf", probe_bpf, KILLED, 0, false},
    {"mount", probe_mount, KILLED, 0, false},
    {"writable code", probe_writable_code, ENOSYS, 0, true},
    {"code from data", probe_code_from_data, ENOSYS, 0, true},
    {"root again", probe_become_root, ENOSYS, 0, false},
    {"core dumps again", probe_raise_limit, ENOSYS, 0, false},
    {"dumpable again", probe_dumpable, ENOSYS, 0, true},
    {"a file outside", probe_read_outside, EACCES, 1, false},
    {"a folder outside", probe_list_outside, EACCES, 1, false},
    {"a new file outside", probe_write_outside, EACCES, 1, false},
    {"a file that it reads", probe_write_where_it_reads, EACCES, 1, false},
    {"a file moved in", probe_link_into_its_folder, EACCES, 1, false},
    {"another port", probe_listen_elsewhere, EACCES, 4, false},
    {"a signal to the parent", probe_signal_parent, EPERM, 6, false},
};

Test(confine, what_an_intruder_would_try_fails)
{
    struct stage s;
    int abi = landlock_abi();
    stage_open(&s);

    for (size_t i = 0; i < IV_COUNT(forbidden); i++) {
        bool tells = forbidden[i].abi <= abi && !(forbidden[i].sanitizers && iv_confine_for_sanitizers());
        if (tells) {
            int got = tried(&s, forbidden[i].probe);
            cr_expect(eq(int, got, forbidden[i].want), "%s", forbidden[i].name);
        }
    }
    stage_close(&s);
}

Test(confine, what_the_program_needs_works)
{
    static const struct {
        const char *name;
        probe_fn probe;
    } rows[] = {
        {"read", probe_read_inside},        {"replace a file", probe_replace_a_file},
        {"thread", probe_thread},           {"forked child", probe_forked_child},
        {"name lookup", probe_name_lookup}, {"listen", probe_listen},
        {"own figures", probe_own_figures},
    };
    struct stage s;
    stage_open(&s);

    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        cr_expect(eq(int, tried(&s, rows[i].probe), 0), "%s", rows[i].name);
    }
    stage_close(&s);
}

Test(confine, who_does_not_listen_cannot)
{
    struct stage s;
    stage_open(&s);
    s.options.listens = false;

    cr_expect(ne(int, tried(&s, probe_listen), 0));
    stage_close(&s);
}

static int status_has(const char *line)
{
    char text[8192] = "";
    FILE *file = fopen("/proc/self/status", "re");
    size_t n = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[n] = '\0';
    return strstr(text, line) != NULL ? 0 : ENOENT;
}

static int has_filter(const struct probe_place *place)
{
    (void)place;
    return status_has("\nSeccomp:\t2\n");
}

static int has_no_new_privs(const struct probe_place *place)
{
    (void)place;
    return status_has("\nNoNewPrivs:\t1\n");
}

static int has_no_capabilities(const struct probe_place *place)
{
    (void)place;
    return status_has("\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n");
}

static int can_be_given_none(const struct probe_place *place)
{
    (void)place;
    return status_has("\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n");
}

Test(confine, the_kernel_says_that_it_is_in_force)
{
    struct stage s;
    stage_open(&s);

    cr_expect(eq(int, tried(&s, has_filter), 0));
    cr_expect(eq(int, tried(&s, has_no_new_privs), 0));
    cr_expect(eq(int, tried(&s, has_no_capabilities), 0));
    if (geteuid() == 0) {
        cr_expect(eq(int, tried(&s, can_be_given_none), 0));
    }
    stage_close(&s);
}

Test(confine, log_lets_things_pass)
{
    struct stage s;
    stage_open(&s);
    s.options.mode = IV_CONFINE_LOG;

    cr_expect(eq(int, tried(&s, has_filter), 0), "the filter is there, and logs");
    cr_expect(eq(int, tried(&s, probe_read_outside), 0));
    cr_expect(eq(int, tried(&s, probe_code_from_data), 0));
    stage_close(&s);
}

Test(confine, off_is_off)
{
    struct stage s;
    stage_open(&s);
    s.options.mode = IV_CONFINE_OFF;

    cr_expect(eq(int, tried(&s, has_filter), ENOENT));
    cr_expect(eq(int, tried(&s, probe_read_outside), 0));
    stage_close(&s);
}

/* From here on this process's kernel has no Landlock. */
static bool without_landlock(void)
{
    struct sock_filter rows[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {IV_COUNT(rows), rows};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

Test(confine, a_kernel_without_landlock_gives_the_rest)
{
    struct stage s;
    stage_open(&s);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct iv_confined in_force;
        bool told = without_landlock() && iv_ok(iv_confine(&in_force, &s.options, NULL)) &&
                    in_force.landlock_abi == 0 && !in_force.ports && in_force.seccomp && in_force.privileges;
        _exit(told ? probe_read_outside(&s.place) | has_filter(&s.place) : NOT_CONFINED);
    }
    int status = 0;

    cr_assert(eq(int, (int)waitpid(child, &status, 0), (int)child));

    cr_expect(eq(int, status, 0));
    stage_close(&s);
}

static int is_nobody(const struct probe_place *place)
{
    (void)place;
    struct iv_identity nobody;
    struct iv_err err;
    bool found = iv_ok(iv_identity_find(&nobody, IV_STR("nobody"), (struct iv_str){NULL, 0}, &err));
    return found && !nobody.change && geteuid() == nobody.uid && getegid() == nobody.gid &&
                   getgroups(0, NULL) <= 1
               ? 0
               : EPERM;
}

Test(confine, root_becomes_another_user_for_good)
{
    if (geteuid() != 0) {
        cr_skip_test("only root can become another user");
    }
    struct stage s;
    struct iv_identity nobody;
    stage_open(&s);
    cr_assert(iv_ok(iv_identity_find(&nobody, IV_STR("nobody"), (struct iv_str){NULL, 0}, NULL)));
    s.options.become = &nobody;
    s.options.mode = IV_CONFINE_OFF;

    cr_expect(eq(int, tried(&s, is_nobody), 0));
    cr_expect(eq(int, tried(&s, probe_become_root), EPERM));
    stage_close(&s);
}
