/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/landlock.h"
#include "base/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSION_FLAG 1u
#define RULE_PATH 1
#define RULE_PORT 2

/* Of include/uapi/linux/landlock.h. */
enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_ALL_OF_ABI_1 = (1 << 13) - 1,
    FS_REFER = 1 << 13,
    FS_TRUNCATE = 1 << 14,
    FS_IOCTL_DEV = 1 << 15,
    FS_OF_A_FILE = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
};
enum { NET_BIND_TCP = 1 << 0 };
enum { SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1 };

#define READING (FS_READ_FILE | FS_READ_DIR)
#define WRITING (READING | FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE)

struct ruleset {
    uint64_t files;
    uint64_t ports;
    uint64_t scopes;
};
struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));
struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

int iv_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
    return abi < 0 ? 0 : (int)abi;
}

/* What is governed at all; everything else stays free. Connecting is not: brokers name their own ports. */
static struct ruleset governed(int abi)
{
    struct ruleset set = {.files = FS_ALL_OF_ABI_1};
    set.files |= abi >= 2 ? FS_REFER : 0;
    set.files |= abi >= 3 ? FS_TRUNCATE : 0;
    set.files |= abi >= 5 ? FS_IOCTL_DEV : 0;
    set.ports = abi >= IV_LANDLOCK_ABI_PORTS ? NET_BIND_TCP : 0;
    set.scopes = abi >= 6 ? SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL : 0;
    return set;
}

static iv_rc allow_path(int ruleset, struct iv_str path, uint64_t rights, struct iv_err *err)
{
    char name[PATH_MAX];
    ENSURE(path.n > 0 && path.n < sizeof name, err, IV_E_LIMIT, "the path '" IV_STR_FMT "' is too long",
           IV_STR_ARG(path));
    memcpy(name, path.p, path.n);
    name[path.n] = '\0';
    int fd = open(name, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return IV_OK;
    }
    struct stat about;
    bool folder = fstat(fd, &about) == 0 && S_ISDIR(about.st_mode);
    struct path_rule rule = {.allowed = folder ? rights : rights & FS_OF_A_FILE, .parent = fd};
    long rc = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &rule, 0);
    int failure = errno;
    (void)close(fd);
    ENSURE(rc == 0, err, IV_E_IO, "cannot have Landlock allow '%s': %s", name, strerror(failure));
    return IV_OK;
}

static iv_rc allow_paths(int ruleset, const struct iv_confine_paths *paths, uint64_t rights,
                         struct iv_err *err)
{
    for (size_t i = 0; i < paths->count; i++) {
        TRY(allow_path(ruleset, paths->items[i], rights, err));
    }
    return IV_OK;
}

static iv_rc allow_all(int ruleset, const struct iv_confine_options *options, const struct ruleset *set,
                       struct iv_err *err)
{
    struct iv_confine_paths system = iv_confine_system_reads();
    TRY(allow_paths(ruleset, &system, READING & set->files, err));
    TRY(allow_paths(ruleset, &options->reads, READING & set->files, err));
    TRY(allow_paths(ruleset, &options->writes, WRITING & set->files, err));
    TRY(allow_path(ruleset, IV_STR("/dev/null"), (FS_READ_FILE | FS_WRITE_FILE) & set->files, err));
    if (options->listens && set->ports != 0) {
        struct port_rule rule = {.allowed = NET_BIND_TCP, .port = options->port};
        ENSURE(syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &rule, 0) == 0, err, IV_E_IO,
               "cannot have Landlock allow port %u: %s", (unsigned)options->port, strerror(errno));
    }
    return IV_OK;
}

static void close_fd(const int *fd)
{
    (void)close(*fd);
}

iv_rc iv_landlock(const struct iv_confine_options *options, int abi, struct iv_err *err)
{
    struct ruleset set = governed(abi);
    IV_AUTO(close_fd) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0);
    ENSURE(ruleset >= 0, err, IV_E_IO, "cannot make a Landlock ruleset: %s", strerror(errno));
    TRY(allow_all(ruleset, options, &set, err));
    ENSURE(syscall(SYS_landlock_restrict_self, ruleset, 0) == 0, err, IV_E_IO,
           "cannot put Landlock in force: %s", strerror(errno));
    return IV_OK;
}
