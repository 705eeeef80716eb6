/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/privileges.h"
#include "base/guard.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* It takes CAP_SETPCAP to empty the bounding set; who does not have that is held by no_new_privs alone. */
void iv_privileges_bound(void)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    }
}

iv_rc iv_privileges_become(const struct iv_identity *identity, struct iv_err *err)
{
    const char *user = identity->user;
    ENSURE(geteuid() == 0, err, IV_E_REFUSED,
           "only root can become the user '%s', and this process is user %u, group %u; start it as root, or "
           "as that user",
           user, (unsigned)geteuid(), (unsigned)getegid());
    ENSURE(initgroups(user, identity->gid) == 0, err, IV_E_IO, "cannot take the groups of user '%s': %s",
           user, strerror(errno));
    ENSURE(setresgid(identity->gid, identity->gid, identity->gid) == 0, err, IV_E_IO,
           "cannot become group %u: %s", (unsigned)identity->gid, strerror(errno));
    ENSURE(setresuid(identity->uid, identity->uid, identity->uid) == 0, err, IV_E_IO,
           "cannot become user '%s': %s", user, strerror(errno));
    ENSURE(identity->uid == 0 || setuid(0) != 0, err, IV_E_IO, "user '%s' could become root again", user);
    return IV_OK;
}

static bool has_capabilities(struct __user_cap_header_struct *head)
{
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
    uint32_t any = 0;
    memset(now, 0xff, sizeof now);
    if (syscall(SYS_capget, head, now) == 0) {
        for (size_t i = 0; i < IV_COUNT(now); i++) {
            any |= now[i].effective | now[i].permitted | now[i].inheritable;
        }
    }
    return any != 0;
}

/* Who has none need not ask: a service manager's filter may refuse the call. */
static iv_rc empty_capabilities(struct iv_err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof none);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    ENSURE(!has_capabilities(&head) || syscall(SYS_capset, &head, none) == 0, err, IV_E_IO,
           "cannot give up the capabilities: %s", strerror(errno));
    return IV_OK;
}

iv_rc iv_privileges_give_up(struct iv_err *err)
{
    const struct rlimit no_core = {0, 0};
    TRY(empty_capabilities(err));
    ENSURE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, err, IV_E_IO, "cannot set no_new_privs: %s",
           strerror(errno));
    ENSURE(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, err, IV_E_IO, "cannot become undumpable: %s",
           strerror(errno));
    ENSURE(setrlimit(RLIMIT_CORE, &no_core) == 0, err, IV_E_IO, "cannot forbid core dumps: %s",
           strerror(errno));
    return IV_OK;
}
