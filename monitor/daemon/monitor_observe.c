/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "daemon/config_topics.h"
#include "daemon/fresh.h"
#include "daemon/monitor_internal.h"

iv_rc iv_monitor_name_topics(struct iv_monitor *m, struct iv_str topics[IV_STREAMS], struct iv_err *err)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        topics[s] = iv_arena_str(&m->names, iv_config_topic(m->config, m->baseline, (enum iv_stream)s));
        ENSURE(topics[s].p != NULL, err, IV_E_NOMEM, "cannot allocate the names of the topics");
    }
    return IV_OK;
}

void iv_monitor_follow(struct iv_monitor *m, struct iv_detect *detect)
{
    (void)pthread_mutex_lock(&m->lock);
    m->followed = detect;
    (void)pthread_mutex_unlock(&m->lock);
}

static size_t positions(void *ctx, struct iv_cursor *out, size_t room)
{
    struct iv_monitor *m = ctx;
    (void)pthread_mutex_lock(&m->lock);
    struct iv_consumer_health health = {.assigned = false};
    size_t count = 0;
    if (m->followed != NULL) {
        iv_detect_health(m->followed, &health);
        count = iv_detect_positions(m->followed, out, room);
    }
    count = health.assigned && health.partitions == 0 ? IV_FRESH_STANDBY : count;
    (void)pthread_mutex_unlock(&m->lock);
    return count;
}

bool iv_monitor_input(struct iv_monitor *m, struct iv_consumer_health *out)
{
    if (m->detect != NULL) {
        iv_detect_health(m->detect, out);
        return true;
    }
    bool hears = m->observer != NULL && iv_observer_hears(m->observer);
    *out = (struct iv_consumer_health){.reachable = hears};
    return m->observer != NULL;
}

bool iv_monitor_is_fresh(void *ctx, const char **why)
{
    return iv_observer_fresh(((struct iv_monitor *)ctx)->observer, why);
}

iv_rc iv_monitor_start_observer(struct iv_monitor *m, struct iv_err *err)
{
    bool detects = (m->config->roles & IV_ROLE_DETECT) != 0;
    struct iv_observer_options observer = {.store = m->store,
                                           .baseline = m->baseline,
                                           .config = m->config,
                                           .metrics = m->metrics,
                                           .positions = detects ? positions : NULL,
                                           .changed = iv_monitor_committed,
                                           .failed = iv_monitor_failed,
                                           .ctx = m};
    TRY(iv_monitor_name_topics(m, observer.topics, err));
    TRY(iv_watch_part(&observer.turns, m->watch, "observe", NULL, err));
    return iv_observer_start(&m->observer, &observer, err);
}
