/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/confinement.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/listen.h"
#include "respond/alert/settings.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCATION ".location"

struct iv_confinement {
    struct iv_arena arena; /* of the paths' names */
    struct iv_identity identity;
    struct iv_confine_options options;
};

static const char *const mode_names[] = {"enforce", "log", "off"};

static bool is_beneath(struct iv_str path, struct iv_str folder)
{
    return iv_str_eq(path, folder) || (path.n > folder.n && memcmp(path.p, folder.p, folder.n) == 0 &&
                                       path.p[folder.n] == '/' && memmem(path.p, path.n, "..", 2) == NULL);
}

static bool has(const struct iv_confine_paths *paths, struct iv_str path)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (is_beneath(path, paths->items[i])) {
            return true;
        }
    }
    return false;
}

static iv_rc add(struct iv_confine_paths *paths, struct iv_confinement *c, struct iv_str path,
                 struct iv_err *err)
{
    if (has(paths, path)) {
        return IV_OK;
    }
    struct iv_str *grown = iv_realloc(paths->items, (paths->count + 1) * sizeof *grown);
    ENSURE(grown != NULL, err, IV_E_NOMEM, "cannot allocate the paths of the confinement");
    paths->items = grown;
    struct iv_str kept = iv_arena_str(&c->arena, path);
    ENSURE(kept.p != NULL, err, IV_E_NOMEM, "cannot allocate the paths of the confinement");
    paths->items[paths->count++] = kept;
    return IV_OK;
}

/* A file that is replaced as a whole is another file, so its folder has to be allowed rather than itself;
 * only what lies in the root folder stays by itself. */
static struct iv_str folder_of(struct iv_str path)
{
    const char *slash = path.n == 0 ? NULL : memrchr(path.p, '/', path.n);
    if (slash == NULL) {
        return IV_STR(".");
    }
    return slash == path.p ? path : (struct iv_str){path.p, (size_t)(slash - path.p)};
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Where it really is; as it is written where it is not there. */
static struct iv_str real(char out[PATH_MAX], struct iv_str path)
{
    char name[PATH_MAX];
    if (path.n >= sizeof name) {
        return path;
    }
    memcpy(name, path.p, path.n);
    name[path.n] = '\0';
    return realpath(name, out) == NULL ? path : iv_str_of(out);
}

/* The path itself where it is a folder, else the folder that it is in, or will be made in; of a link, its
 * target's as well. p NULL: the configuration has none. */
static iv_rc allow(struct iv_confine_paths *paths, struct iv_confinement *c, struct iv_str path,
                   struct iv_err *err)
{
    char target[PATH_MAX];
    char place[PATH_MAX];
    if (path.p == NULL || path.n == 0) {
        return IV_OK;
    }
    struct iv_str there = real(target, path);
    if (there.p == target && is_folder(target)) {
        return add(paths, c, there, err);
    }
    TRY(add(paths, c, real(place, folder_of(path)), err));
    return there.p == target ? add(paths, c, folder_of(there), err) : IV_OK;
}

static iv_rc read_beside(struct iv_confinement *c, struct iv_str path, struct iv_err *err)
{
    return allow(&c->options.reads, c, path, err);
}

static bool names_a_file(struct iv_str property)
{
    static const struct iv_str others[] = {IV_STR_INIT("sasl.kerberos.keytab"),
                                           IV_STR_INIT("plugin.library.paths")};
    struct iv_str end = IV_STR(LOCATION);
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        if (iv_str_eq(property, others[i])) {
            return true;
        }
    }
    return property.n > end.n && memcmp(property.p + property.n - end.n, end.p, end.n) == 0;
}

static iv_rc read_what_sinks_name(struct iv_confinement *c, const struct iv_alerting *alerts,
                                  struct iv_err *err)
{
    for (size_t i = 0; alerts != NULL && i < alerts->sink_count; i++) {
        const struct iv_alert_sink *sink = &alerts->sinks[i];
        for (size_t k = 0; k < sink->kind->setting_count; k++) {
            bool file = sink->kind->settings[k].form == IV_SETTING_FILE;
            TRY(read_beside(c, file ? sink->values[k].text : IV_STR(""), err));
        }
    }
    return IV_OK;
}

static iv_rc read_what_config_names(struct iv_confinement *c, const struct iv_config *config,
                                    struct iv_err *err)
{
    for (size_t i = 0; i < config->kafka_count; i++) {
        if (names_a_file(config->kafka[i].name)) {
            TRY(read_beside(c, config->kafka[i].value, err));
        }
    }
    bool responds = (config->roles & IV_ROLE_RESPOND) != 0;
    for (size_t i = 0; responds && i < config->endpoint_count; i++) {
        TRY(read_beside(c, config->endpoints[i].ca_file, err));
        TRY(read_beside(c, config->endpoints[i].bearer_token_file, err));
        TRY(read_beside(c, config->endpoints[i].certificate, err));
        TRY(read_beside(c, config->endpoints[i].key, err));
    }
    TRY(read_what_sinks_name(c, config->alerts, err));
    TRY(read_beside(c, config->console.certificate, err));
    TRY(read_beside(c, config->console.key, err));
    TRY(read_beside(c, config->console.client_ca, err));
    return read_beside(c, config->console.token_file, err);
}

/* Packs and playbooks are read again at a reload, new ones beside them too. */
static iv_rc read_what_baseline_is_made_of(struct iv_confinement *c, const struct iv_config *config,
                                           const struct iv_baseline *baseline, struct iv_err *err)
{
    TRY(read_beside(c, config->baseline, err));
    for (size_t i = 0; i < baseline->rule_count; i++) {
        bool built_in = baseline->rules[i] == baseline->equivocation;
        TRY(read_beside(c, built_in ? IV_STR("") : baseline->rules[i]->at.file, err));
    }
    for (size_t i = 0; i < baseline->playbook_count; i++) {
        TRY(read_beside(c, baseline->playbooks[i].file, err));
    }
    return IV_OK;
}

/* What builds for tests read besides: the program itself, to name the places of a sanitizer's report; the
 * stepped clock of base/fault.h. */
static iv_rc read_what_tests_need(struct iv_confinement *c, struct iv_err *err)
{
    char program[PATH_MAX];
    ssize_t n = iv_confine_for_sanitizers() ? readlink("/proc/self/exe", program, sizeof program) : 0;
    if (n > 0) {
        TRY(read_beside(c, (struct iv_str){program, (size_t)n}, err));
    }
#ifdef IV_FAULT_POINTS
    TRY(read_beside(c, iv_str_of(getenv("IV_FAULT_CLOCK")), err));
#endif
    return IV_OK;
}

static iv_rc fill(struct iv_confinement *c, const struct iv_config *config,
                  const struct iv_baseline *baseline, struct iv_err *err)
{
    struct iv_confine_options *o = &c->options;
    o->mode = config->confinement;
    o->listens = (config->roles & IV_ROLE_CONSOLE) != 0 || config->console.asked_for;
    if (config->user.p != NULL) {
        TRY(iv_identity_find(&c->identity, config->user, config->group, err));
        o->become = &c->identity;
    }
    if (o->listens) {
        unsigned port = 0;
        TRY(iv_listen_port(&port, config->console.listen, err));
        o->port = (uint16_t)port;
    }
    TRY(read_what_baseline_is_made_of(c, config, baseline, err));
    TRY(read_what_config_names(c, config, err));
    TRY(read_what_tests_need(c, err));
    TRY(allow(&o->writes, c, config->store_path, err));
    return allow(&o->writes, c, config->snapshots.path, err);
}

iv_rc iv_confinement_new(struct iv_confinement **out, const struct iv_config *config,
                         const struct iv_baseline *baseline, struct iv_err *err)
{
    IV_AUTO(iv_confinement_freep) struct iv_confinement *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the confinement");
    iv_arena_init(&c->arena, 0);
    TRY(fill(c, config, baseline, err));
    *out = TAKE(c);
    return IV_OK;
}

void iv_confinement_free(struct iv_confinement *confinement)
{
    if (confinement != NULL) {
        iv_free(confinement->options.reads.items);
        iv_free(confinement->options.writes.items);
        iv_arena_deinit(&confinement->arena);
        iv_free(confinement);
    }
}

void iv_confinement_freep(struct iv_confinement **confinement)
{
    iv_confinement_free(*confinement);
}

static void show_paths(const char *what, const struct iv_confine_paths *paths)
{
    printf("  %s", what);
    for (size_t i = 0; i < paths->count; i++) {
        printf(" " IV_STR_FMT, IV_STR_ARG(paths->items[i]));
    }
    printf("\n");
}

static void show_user(const struct iv_confinement *c)
{
    if (c->options.become == NULL) {
        printf("  user          %u, who starts it%s\n", (unsigned)geteuid(),
               geteuid() == 0 ? "; set 'user', so that it is not root" : "");
    } else {
        printf("  user          %s, %u, group %u\n", c->identity.user, (unsigned)c->identity.uid,
               (unsigned)c->identity.gid);
    }
}

void iv_confinement_show(const struct iv_confinement *confinement)
{
    const struct iv_confine_options *o = &confinement->options;
    struct iv_confine_paths system = iv_confine_system_reads();
    struct iv_confined will;
    iv_confine_preview(&will, o);
    printf("Confinement: %s\n", mode_names[o->mode]);
    show_user(confinement);
    printf("  privileges    %s\n", will.privileges ? "none, and none to be had again" : "as they are");
    printf("  system calls  %zu allowed%s%s\n", iv_confine_calls(), will.seccomp ? "" : ", not enforced here",
           will.for_sanitizers ? ", more for the sanitizers" : "");
    printf("  files         %s\n", will.landlock_abi > 0 ? "by Landlock" : "not confined here");
    show_paths("  reads      ", &o->reads);
    show_paths("  and        ", &system);
    show_paths("  writes     ", &o->writes);
    printf("  listens       %s%u%s\n", o->listens ? "on port " : "nowhere, ", o->listens ? o->port : 0U,
           will.ports ? "" : ", not confined here");
}

static void tell(const struct iv_confinement *c, const struct iv_confined *in_force)
{
    LOG_INFO("confine.in_force", KV_TEXT("mode", mode_names[c->options.mode]),
             KV_I64("user", (int64_t)geteuid()), KV_I64("privileges_given_up", in_force->privileges),
             KV_I64("seccomp", in_force->seccomp), KV_I64("landlock_abi", in_force->landlock_abi));
    if (c->options.mode == IV_CONFINE_ENFORCE && !in_force->seccomp) {
        LOG_WARN("confine.missing", KV_TEXT("layer", "system_calls"),
                 KV_TEXT("why", "this kernel has no seccomp filters"));
    }
    if (c->options.mode == IV_CONFINE_ENFORCE && !in_force->ports) {
        LOG_WARN("confine.missing", KV_TEXT("layer", in_force->landlock_abi > 0 ? "ports" : "files, ports"),
                 KV_I64("landlock_abi", in_force->landlock_abi),
                 KV_TEXT("why", in_force->landlock_abi > 0 ? "this kernel's Landlock knows files only"
                                                           : "this kernel has no Landlock"));
    }
    if (geteuid() == 0) {
        LOG_WARN("confine.root", KV_TEXT("why", "it runs as root; 'user' in the configuration changes that"));
    }
}

/* SQLite spills what it sorts into files, for which it would take a folder that is closed now. */
static iv_rc spill_beside_store(const struct iv_confinement *c, struct iv_err *err)
{
    char folder[PATH_MAX];
    struct iv_str store = c->options.writes.items[0];
    int n = snprintf(folder, sizeof folder, IV_STR_FMT, IV_STR_ARG(store));
    ENSURE(n >= 0 && (size_t)n < sizeof folder && setenv("SQLITE_TMPDIR", folder, 1) == 0, err, IV_E_LIMIT,
           "the path of the store's folder is too long");
    return IV_OK;
}

iv_rc iv_confinement_enter(struct iv_confined *out, const struct iv_confinement *confinement,
                           struct iv_err *err)
{
    TRY(spill_beside_store(confinement, err));
    TRY(iv_confine(out, &confinement->options, err));
    tell(confinement, out);
    return IV_OK;
}

void iv_confinement_count(const struct iv_confined *confined, struct iv_metrics *metrics)
{
    iv_series_set(IV_SERIES(metrics, CONFINED, IV_STR("privileges")), confined->privileges);
    iv_series_set(IV_SERIES(metrics, CONFINED, IV_STR("files")), confined->landlock_abi > 0);
    iv_series_set(IV_SERIES(metrics, CONFINED, IV_STR("ports")), confined->ports);
    iv_series_set(IV_SERIES(metrics, CONFINED, IV_STR("system_calls")), confined->seccomp);
}
