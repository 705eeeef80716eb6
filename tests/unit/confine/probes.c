/* SPDX-License-Identifier: Apache-2.0 */
#include "probes.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKED(call) ((call) >= 0 ? 0 : errno)

static int open_in(const char *folder, const char *name, int flags)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int failure = errno;
    if (fd >= 0) {
        (void)close(fd);
        return 0;
    }
    return failure;
}

int probe_exec(const struct probe_place *place)
{
    char *arguments[] = {(char[]){"true"}, NULL};
    (void)place;
    return WORKED(execv("/bin/true", arguments));
}

int probe_posix_spawn(const struct probe_place *place)
{
    char *arguments[] = {(char[]){"true"}, NULL};
    (void)place;
    return posix_spawn(&(pid_t){0}, "/bin/true", NULL, NULL, arguments, NULL);
}

int probe_ptrace(const struct probe_place *place)
{
    (void)place;
    return WORKED(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

int probe_read_memory(const struct probe_place *place)
{
    char byte;
    struct iovec here = {&byte, 1};
    struct iovec there = {&byte, 1};
    (void)place;
    return WORKED(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

int probe_packet_socket(const struct probe_place *place)
{
    (void)place;
    return WORKED(socket(AF_PACKET, SOCK_RAW, 0));
}

int probe_netlink_audit(const struct probe_place *place)
{
    (void)place;
    return WORKED(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
}

int probe_user_namespace(const struct probe_place *place)
{
    (void)place;
    return WORKED(unshare(CLONE_NEWUSER));
}

int probe_namespace_by_clone(const struct probe_place *place)
{
    (void)place;
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0) {
        _exit(0);
    }
    return WORKED(child);
}

int probe_io_uring(const struct probe_place *place)
{
    char parameters[256] = {0};
    (void)place;
    return WORKED(syscall(SYS_io_uring_setup, 1, parameters));
}

int probe_bpf(const struct probe_place *place)
{
    char attributes[128] = {0};
    (void)place;
    return WORKED(syscall(SYS_bpf, 0, attributes, sizeof attributes));
}

int probe_mount(const struct probe_place *place)
{
    return WORKED(mount("none", place->writes, "tmpfs", 0, NULL));
}

int probe_writable_code(const struct probe_place *place)
{
    (void)place;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? errno : 0;
}

int probe_code_from_data(const struct probe_place *place)
{
    (void)place;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? 0 : WORKED(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

int probe_become_root(const struct probe_place *place)
{
    (void)place;
    return WORKED(setresuid(0, 0, 0));
}

int probe_raise_limit(const struct probe_place *place)
{
    const struct rlimit core = {1 << 20, 1 << 20};
    (void)place;
    return WORKED(setrlimit(RLIMIT_CORE, &core));
}

int probe_dumpable(const struct probe_place *place)
{
    (void)place;
    return WORKED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

int probe_read_outside(const struct probe_place *place)
{
    return open_in(place->outside, "inside", O_RDONLY);
}

int probe_list_outside(const struct probe_place *place)
{
    DIR *folder = opendir(place->outside);
    int failure = errno;
    if (folder != NULL) {
        (void)closedir(folder);
        return 0;
    }
    return failure;
}

int probe_write_outside(const struct probe_place *place)
{
    return open_in(place->outside, "new", O_WRONLY | O_CREAT);
}

int probe_write_where_it_reads(const struct probe_place *place)
{
    return open_in(place->reads, "inside", O_WRONLY);
}

int probe_link_into_its_folder(const struct probe_place *place)
{
    char from[256];
    char to[256];
    (void)snprintf(from, sizeof from, "%s/inside", place->outside);
    (void)snprintf(to, sizeof to, "%s/stolen", place->writes);
    return WORKED(rename(from, to));
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0) {
        return errno;
    }
    return close(fd);
}

int probe_listen_elsewhere(const struct probe_place *place)
{
    (void)place;
    return listen_on(41234);
}

int probe_signal_parent(const struct probe_place *place)
{
    (void)place;
    return WORKED(kill(getppid(), SIGCONT));
}

int probe_read_inside(const struct probe_place *place)
{
    return open_in(place->reads, "inside", O_RDONLY);
}

int probe_replace_a_file(const struct probe_place *place)
{
    char part[256];
    char whole[256];
    (void)snprintf(part, sizeof part, "%s/snapshot.part", place->writes);
    (void)snprintf(whole, sizeof whole, "%s/snapshot", place->writes);
    int fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "bytes", 5) != 5 || ftruncate(fd, 3) != 0 || fsync(fd) != 0) {
        return errno;
    }
    (void)close(fd);
    int folder = open(place->writes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (rename(part, whole) != 0 || folder < 0 || fsync(folder) != 0 || unlink(whole) != 0) {
        return errno;
    }
    return close(folder);
}

static void *nothing(void *argument)
{
    return argument;
}

int probe_thread(const struct probe_place *place)
{
    pthread_t thread;
    (void)place;
    int failure = pthread_create(&thread, NULL, nothing, NULL);
    return failure != 0 ? failure : pthread_join(thread, NULL);
}

int probe_forked_child(const struct probe_place *place)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(probe_replace_a_file(place));
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : ECHILD;
}

int probe_name_lookup(const struct probe_place *place)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    (void)place;
    int failure = getaddrinfo("localhost", "9092", &hints, &found);
    if (failure == 0) {
        freeaddrinfo(found);
    }
    return failure == 0 ? 0 : ENOENT;
}

int probe_listen(const struct probe_place *place)
{
    (void)place;
    return listen_on(0);
}

int probe_own_figures(const struct probe_place *place)
{
    (void)place;
    return open_in("/proc/self", "statm", O_RDONLY) | open_in("/proc/self", "status", O_RDONLY);
}
