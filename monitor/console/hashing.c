/* SPDX-License-Identifier: Apache-2.0 */
#include "console/hashing.h"

#include <errno.h>

void iv_hashing_init(struct iv_console *console, unsigned threads)
{
    (void)sem_init(&console->hashing, 0, threads > 1 ? threads - 1 : 1);
}

bool iv_hashing_enter(struct iv_console *console, struct iv_reply *reply)
{
    int rc = 0;
    do {
        rc = sem_trywait(&console->hashing);
    } while (rc != 0 && errno == EINTR);
    if (rc != 0) {
        reply->retry_after = 1;
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "as many passwords are looked at as may be at a time, try again");
    }
    return rc == 0;
}

void iv_hashing_leave(struct iv_console *console)
{
    (void)sem_post(&console->hashing);
}
