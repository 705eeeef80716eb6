/* SPDX-License-Identifier: Apache-2.0 */
/* What a program has left behind outside of its group: its parents have ended, and whoever is the subreaper
 * of them all has it. */
#include "hand/process.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX 1000 /* what begets faster than it is killed is not waited for */

/* proc(5), /proc/PID/stat: "PID (NAME) STATE PARENT ...", and a name may hold anything. */
static long parent_of(const char *pid)
{
    char path[64];
    char line[512];
    if (pid[0] < '0' || pid[0] > '9' || strlen(pid) > 20) {
        return 0;
    }
    (void)snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    const char *rest = fgets(line, sizeof line, file) == NULL ? NULL : strrchr(line, ')');
    long parent = rest == NULL || strlen(rest) < 5 ? 0 : strtol(rest + 4, NULL, 10);
    (void)fclose(file);
    return parent;
}

static size_t kill_children(void)
{
    size_t count = 0;
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return 0;
    }
    for (const struct dirent *e = readdir(proc); e != NULL; e = readdir(proc)) {
        if (parent_of(e->d_name) == (long)getpid()) {
            count += kill((pid_t)strtol(e->d_name, NULL, 10), SIGKILL) == 0;
        }
    }
    (void)closedir(proc);
    return count;
}

void iv_orphans_end(void)
{
    size_t count = kill_children();
    for (int round = 0; round < ROUNDS_MAX && count > 0; round++) {
        for (; count > 0; count--) {
            (void)waitpid(-1, NULL, 0);
        }
        count = kill_children();
    }
}
