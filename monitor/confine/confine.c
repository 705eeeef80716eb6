/* SPDX-License-Identifier: Apache-2.0 */
#include "confine/confine.h"
#include "base/guard.h"
#include "confine/landlock.h"
#include "confine/privileges.h"
#include "confine/syscalls.h"

/* What the C library, its name service, TLS and time zones read, also later: a resolver's file is replaced as
 * a whole, so that its folder has to be readable rather than itself. /proc and /sys: the process's own
 * figures and the machine's processors and limits. */
static struct iv_str system_reads[] = {
    IV_STR_INIT("/etc"),
    IV_STR_INIT("/lib"),
    IV_STR_INIT("/lib64"),
    IV_STR_INIT("/usr/lib"),
    IV_STR_INIT("/usr/lib64"),
    IV_STR_INIT("/usr/local/lib"),
    IV_STR_INIT("/usr/local/share/ca-certificates"),
    IV_STR_INIT("/usr/share/ca-certificates"),
    IV_STR_INIT("/usr/share/zoneinfo"),
    IV_STR_INIT("/run/systemd/resolve"),
    IV_STR_INIT("/run/resolvconf"),
    IV_STR_INIT("/run/NetworkManager"),
    IV_STR_INIT("/dev/random"),
    IV_STR_INIT("/dev/urandom"),
    IV_STR_INIT("/proc"),
    IV_STR_INIT("/sys/devices/system/cpu"),
    IV_STR_INIT("/sys/fs/cgroup"),
};

struct iv_confine_paths iv_confine_system_reads(void)
{
    return (struct iv_confine_paths){system_reads, IV_COUNT(system_reads)};
}

bool iv_confine_for_sanitizers(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#else
    return false;
#endif
}

void iv_confine_preview(struct iv_confined *out, const struct iv_confine_options *options)
{
    bool enforce = options->mode == IV_CONFINE_ENFORCE;
    *out = (struct iv_confined){
        .user = options->become != NULL && options->become->change,
        .privileges = options->mode != IV_CONFINE_OFF,
        .seccomp = enforce && iv_syscalls_can(),
        .landlock_abi = enforce ? iv_landlock_abi() : 0,
        .for_sanitizers = iv_confine_for_sanitizers(),
    };
    out->ports = out->landlock_abi >= IV_LANDLOCK_ABI_PORTS;
}

iv_rc iv_confine(struct iv_confined *out, const struct iv_confine_options *options, struct iv_err *err)
{
    struct iv_confined will;
    iv_confine_preview(&will, options);
    if (will.privileges) {
        iv_privileges_bound();
    }
    if (will.user) {
        TRY(iv_privileges_become(options->become, err));
    }
    if (will.privileges) {
        TRY(iv_privileges_give_up(err));
    }
    if (will.landlock_abi > 0) {
        TRY(iv_landlock(options, will.landlock_abi, err));
    }
    if (options->mode != IV_CONFINE_OFF && iv_syscalls_can()) {
        TRY(iv_syscalls_confine(options, err));
    }
    *out = will;
    return IV_OK;
}
