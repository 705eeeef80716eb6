/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline that was refused, in a process that alerts nobody: as a finding of the monitor about itself it
 * reaches whoever does. */
#include "base/guard.h"
#include "base/log.h"
#include "daemon/instance.h"
#include "daemon/monitor_internal.h"
#include "respond/alert/outage.h"

#include <stdio.h>

void iv_monitor_refusal(struct iv_monitor *m, const char *why)
{
    if ((m->config->roles & IV_ROLE_RESPOND) != 0) {
        return;
    }
    (void)pthread_mutex_lock(&m->lock);
    m->refusal = why == NULL ? IV_REFUSAL_OVER : IV_REFUSAL_LASTS;
    (void)snprintf(m->refused, sizeof m->refused, "%s",
                   why == NULL ? "another baseline is in force, or the monitor was started anew" : why);
    (void)pthread_mutex_unlock(&m->lock);
}

static iv_rc write(struct iv_monitor *m, bool over, const char *why, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf name;
    iv_buf_init(&name, 64);
    TRY(iv_instance(&name, m->store, err));
    return iv_refusal_tell(m->store, iv_buf_slice(&name), over, iv_str_of(why), iv_wall(&m->clock), err);
}

static iv_rc keep(struct iv_monitor *m, bool over, const char *why, struct iv_err *err)
{
    TRY(iv_store_begin(m->store, err));
    struct iv_rc_s rc = write(m, over, why, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(m->store);
        return rc;
    }
    return iv_store_commit(m->store, err);
}

void iv_monitor_tell_refusal(struct iv_monitor *m)
{
    char why[sizeof m->refused];
    struct iv_err err = {.text = ""};
    (void)pthread_mutex_lock(&m->lock);
    enum iv_refusal refusal = m->refusal;
    memcpy(why, m->refused, sizeof why);
    m->refusal = IV_REFUSAL_NO_NEWS;
    (void)pthread_mutex_unlock(&m->lock);
    if (refusal == IV_REFUSAL_NO_NEWS) {
        return;
    }
    struct iv_rc_s rc = keep(m, refusal == IV_REFUSAL_OVER, why, &err);
    if (iv_ok(rc)) {
        iv_monitor_committed(m);
        return;
    }
    LOG_WARN("run.reload.untold", KV_TEXT("why", err.text));
    (void)pthread_mutex_lock(&m->lock);
    m->refusal =
        m->refusal == IV_REFUSAL_NO_NEWS && iv_code_class(rc.code) == IV_CLASS_RETRY ? refusal : m->refusal;
    (void)pthread_mutex_unlock(&m->lock);
}
