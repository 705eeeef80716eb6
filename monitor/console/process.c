/* SPDX-License-Identifier: Apache-2.0 */
#include "console/process.h"

#include "base/file.h"
#include "base/guard.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The second number of /proc/self/statm counts pages. */
static void measure_memory(struct iv_metrics *metrics)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, 4096);
    if (!iv_ok(iv_file_read(&text, IV_STR("/proc/self/statm"), NULL)) || text.n == 0) {
        return;
    }
    const char *at = strchr(text.p, ' ');
    double pages = 0;
    for (at = at == NULL ? "" : at + 1; *at >= '0' && *at <= '9'; at++) {
        pages = pages * 10 + (*at - '0');
    }
    iv_series_set(iv_metrics_only(metrics, IV_METRIC_RESIDENT), pages * (double)sysconf(_SC_PAGESIZE));
}

static void measure_files(struct iv_metrics *metrics)
{
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return;
    }
    int count = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(folder);
    iv_series_set(iv_metrics_only(metrics, IV_METRIC_OPEN_FILES), count - 1); /* less the folder's own */
}

void iv_process_measure(struct iv_metrics *metrics)
{
    struct rusage use;
    if (getrusage(RUSAGE_SELF, &use) == 0) {
        iv_series_set(iv_metrics_only(metrics, IV_METRIC_CPU),
                      seconds_of(use.ru_utime) + seconds_of(use.ru_stime));
    }
    measure_memory(metrics);
    measure_files(metrics);
}
