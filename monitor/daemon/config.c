/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/secret.h"
#include "baseline/yaml_fields.h"
#include "daemon/config_local.h"
#include "daemon/config_roles.h"
#include "detect/exchange_post.h"
#include "event/sign.h"
#include "judge/verify.h"
#include "respond/alert/settings.h"
#include "vault/folder.h"

#include <stdlib.h>

#define DEFAULT_PATH "/etc/invigil/invigil.yaml"
#define CERTIFICATES_MAX_BYTES ((size_t)1 << 20)
#define FILE_SUFFIX "_file"
#define MEMORY_MIN ((int64_t)64 << 20)
#define SNAPSHOTS_SUFFIX ".snapshots"
#define SNAPSHOTS_EVERY (30 * IV_NS_PER_S)
#define SNAPSHOTS_EVERY_MIN IV_NS_PER_S
#define SNAPSHOTS_EVERY_MAX (3600 * IV_NS_PER_S)
#define SNAPSHOTS_KEEP 2

/* What reading one section needs. */
struct reading {
    struct iv_config *config;
    struct iv_problems *problems;
    const struct iv_yaml_node *alerts;
    unsigned roles; /* instead of what the file says; 0: what it says */
};

static struct iv_str keep(struct reading *r, struct iv_str s)
{
    return iv_arena_str(&r->config->arena, s);
}

static void read_text(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_str text = {NULL, 0};
    if (node != NULL && iv_yaml_string(&text, node, r->problems)) {
        *out = keep(r, text);
    }
}

/* A secret's file, or its first line, which is never shown. */
static void read_secret_part(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node,
                             enum iv_secret_extent extent)
{
    struct iv_str path = {NULL, 0};
    if (node == NULL || !iv_yaml_string(&path, node, r->problems)) {
        return;
    }
    IV_AUTO(iv_buf_wipe) struct iv_buf content;
    struct iv_err why = {.text = ""};
    if (!iv_ok(iv_secret_read(&content, path, extent, &why))) {
        iv_yaml_error(r->problems, node, "%s", why.text);
    } else {
        *out = keep(r, iv_buf_slice(&content));
    }
}

static void read_secret(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node)
{
    read_secret_part(out, r, node, IV_SECRET_LINE);
}

static void read_signer(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_str path = {NULL, 0};
    if (node == NULL || !iv_yaml_string(&path, node, r->problems)) {
        return;
    }
    IV_AUTO(iv_buf_wipe) struct iv_buf pem;
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = iv_secret_read(&pem, path, IV_SECRET_WHOLE, &why);
    if (iv_ok(rc)) {
        rc = iv_signer_of_pem(&r->config->signer, iv_buf_slice(&pem), &why);
        if (!iv_ok(rc)) {
            iv_err_wrap(&why, "'" IV_STR_FMT "'", IV_STR_ARG(path));
        }
    }
    if (!iv_ok(rc)) {
        iv_yaml_error(r->problems, node, "%s", why.text);
    }
}

static bool ends_with(struct iv_str s, struct iv_str end)
{
    return s.n > end.n && memcmp(s.p + s.n - end.n, end.p, end.n) == 0;
}

/* Said here it has a place in the file; where the clients are made it has none. */
static void check_property(struct reading *r, const struct iv_yaml_pair *pair,
                           const struct iv_property *property)
{
    struct iv_err why = {.text = ""};
    if (property->value.p != NULL && !iv_ok(iv_property_check(property, &why))) {
        iv_yaml_error(r->problems, pair->key, "%s", why.text);
    }
}

static void read_kafka(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_config *c = r->config;
    if (node == NULL) {
        return;
    }
    if (node->kind != IV_YAML_MAP) {
        iv_yaml_error(r->problems, node, "kafka must be a mapping of librdkafka's properties, got a %s",
                      iv_yaml_what(node));
        return;
    }
    c->kafka = iv_arena_zalloc(&c->arena, (node->count + 1) * sizeof *c->kafka);
    for (size_t i = 0; c->kafka != NULL && i < node->count; i++) {
        const struct iv_yaml_pair *pair = &node->pairs[i];
        struct iv_property *property = &c->kafka[c->kafka_count++];
        property->name = keep(r, pair->key->text);
        if (ends_with(property->name, IV_STR(FILE_SUFFIX))) {
            property->name.n -= sizeof FILE_SUFFIX - 1;
            read_secret(&property->value, r, pair->value);
        } else if (pair->value->kind != IV_YAML_SCALAR) {
            iv_yaml_error(r->problems, pair->value, "a property of kafka must be a scalar, got a %s",
                          iv_yaml_what(pair->value));
        } else {
            property->value = keep(r, pair->value->text);
        }
        check_property(r, pair, property);
    }
}

static bool has_property(const struct iv_config *c, struct iv_str name)
{
    for (size_t i = 0; i < c->kafka_count; i++) {
        if (iv_str_eq(c->kafka[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* librdkafka would wait for brokers that nobody named, without a word. */
static void complete_kafka(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_config *c = r->config;
    if (node == NULL || node->kind != IV_YAML_MAP || c->kafka == NULL) {
        return;
    }
    if (!has_property(c, IV_STR("bootstrap.servers"))) {
        iv_yaml_error(r->problems, node,
                      "kafka lacks bootstrap.servers, the brokers to begin with: HOST:PORT,…");
    }
    if (!has_property(c, IV_STR("group.id"))) {
        c->kafka[c->kafka_count++] = (struct iv_property){IV_STR("group.id"), keep(r, IV_STR("invigil"))};
    }
}

static void read_topics(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_config *c = r->config;
    struct iv_yaml_map map;
    c->topics.findings = IV_STR("invigil.findings");
    c->topics.actions = IV_STR("invigil.actions");
    c->topics.dead_letter = IV_STR("invigil.dead-letter");
    c->topics.exchange = IV_STR(IV_EXCHANGE_TOPIC);
    if (node == NULL) {
        return;
    }
    iv_yaml_open(&map, node, "topics", r->problems);
    read_text(&c->topics.ledger, r, iv_yaml_get(&map, "ledger"));
    read_text(&c->topics.telemetry, r, iv_yaml_get(&map, "telemetry"));
    read_text(&c->topics.findings, r, iv_yaml_get(&map, "findings"));
    read_text(&c->topics.actions, r, iv_yaml_get(&map, "actions"));
    read_text(&c->topics.dead_letter, r, iv_yaml_get(&map, "dead_letter"));
    read_text(&c->topics.exchange, r, iv_yaml_get(&map, "exchange"));
    read_text(&c->topics.coverage, r, iv_yaml_get(&map, "coverage"));
    read_text(&c->topics.snapshots, r, iv_yaml_get(&map, "snapshots"));
    iv_yaml_close(&map);
}

/* In the order of the bits of enum iv_role. */
/* Nobody else has a use for what endpoints and sinks have secrets and certificates for. */
static bool responds(const struct reading *r)
{
    return (r->config->roles & IV_ROLE_RESPOND) != 0;
}

static void read_store(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    r->config->store_path = IV_STR("/var/lib/invigil/invigil.db");
    if (node != NULL) {
        iv_yaml_open(&map, node, "store", r->problems);
        read_text(&r->config->store_path, r, iv_yaml_get(&map, "path"));
        iv_yaml_close(&map);
    }
}

/* Beside the store, where nothing else is said: the two belong together. */
static void read_snapshots(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_config *c = r->config;
    struct iv_yaml_map map;
    struct iv_str store = c->store_path;
    char *beside = iv_arena_alloc(&c->arena, store.n + sizeof SNAPSHOTS_SUFFIX);
    if (beside != NULL) {
        memcpy(beside, store.p, store.n);
        memcpy(beside + store.n, SNAPSHOTS_SUFFIX, sizeof SNAPSHOTS_SUFFIX);
        c->snapshots.path = (struct iv_str){beside, store.n + sizeof SNAPSHOTS_SUFFIX - 1};
    }
    c->snapshots.every = SNAPSHOTS_EVERY;
    c->snapshots.keep = SNAPSHOTS_KEEP;
    if (node == NULL) {
        return;
    }
    iv_yaml_open(&map, node, "snapshots", r->problems);
    read_text(&c->snapshots.path, r, iv_yaml_get(&map, "path"));
    const struct iv_yaml_node *every = iv_yaml_get(&map, "every");
    if (every != NULL && iv_yaml_duration(&c->snapshots.every, every, r->problems) &&
        (c->snapshots.every < SNAPSHOTS_EVERY_MIN || c->snapshots.every > SNAPSHOTS_EVERY_MAX)) {
        iv_yaml_error(r->problems, every, "snapshots.every must be between 1s and 1h, got '" IV_STR_FMT "'",
                      IV_STR_ARG(every->text));
    }
    const struct iv_yaml_node *keep = iv_yaml_get(&map, "keep");
    (void)(keep != NULL && iv_yaml_int(&c->snapshots.keep, keep, 1, IV_VAULT_KEPT_MAX, r->problems));
    iv_yaml_close(&map);
}

/* "2GiB", "512MiB", or a number of bytes. */
static bool bytes_of(int64_t *out, struct iv_str text)
{
    static const struct {
        const char *name;
        int shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}, {"B", 0}, {"", 0}};
    size_t digits = 0;
    int64_t number = 0;
    for (; digits < text.n && digits < 12 && text.p[digits] >= '0' && text.p[digits] <= '9'; digits++) {
        number = number * 10 + (text.p[digits] - '0');
    }
    struct iv_str unit = {text.p + digits, text.n - digits};
    for (size_t i = 0; digits > 0 && i < IV_COUNT(units); i++) {
        if (iv_str_eq(unit, iv_str_of(units[i].name)) && number <= INT64_MAX >> units[i].shift) {
            *out = number << units[i].shift;
            return true;
        }
    }
    return false;
}

static void read_memory(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (node == NULL) {
        return;
    }
    iv_yaml_open(&map, node, "memory", r->problems);
    const struct iv_yaml_node *limit = iv_yaml_need(&map, "limit");
    int64_t bytes = 0;
    if (limit != NULL && (!bytes_of(&bytes, limit->text) || bytes < MEMORY_MIN)) {
        iv_yaml_error(r->problems, limit,
                      "memory.limit must be a size of at least 64MiB such as 2GiB, got '" IV_STR_FMT "'",
                      IV_STR_ARG(limit->text));
    }
    r->config->memory_limit = bytes;
    iv_yaml_close(&map);
}

static void read_tls(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (node != NULL) {
        iv_yaml_open(&map, node, "console.tls", r->problems);
        read_text(&r->config->console.certificate, r, iv_yaml_need(&map, "certificate"));
        read_text(&r->config->console.key, r, iv_yaml_need(&map, "key"));
        read_text(&r->config->console.client_ca, r, iv_yaml_get(&map, "client_ca"));
        iv_yaml_close(&map);
    }
}

static void read_console(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    r->config->console.listen = IV_STR("127.0.0.1:8088");
    if (node != NULL) {
        iv_yaml_open(&map, node, "console", r->problems);
        const struct iv_yaml_node *listen = iv_yaml_get(&map, "listen");
        r->config->console.asked_for = listen != NULL;
        read_text(&r->config->console.listen, r, listen);
        read_text(&r->config->console.token_file, r, iv_yaml_get(&map, "token_file"));
        read_tls(r, iv_yaml_get(&map, "tls"));
        iv_yaml_close(&map);
    }
}

/* libcurl reads it at each call; that it cannot is told now, not when a playbook has to act. */
static void check_certificates(struct reading *r, struct iv_str path, const struct iv_yaml_node *node)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf pem;
    struct iv_err why = {.text = ""};
    iv_buf_init(&pem, CERTIFICATES_MAX_BYTES);
    if (path.p != NULL && !iv_ok(iv_file_read(&pem, path, &why))) {
        iv_yaml_error(r->problems, node, "%s", why.text);
    } else if (path.p != NULL && (pem.n == 0 || strstr(pem.p, "-----BEGIN CERTIFICATE-----") == NULL)) {
        iv_yaml_error(r->problems, node, "'" IV_STR_FMT "' must hold certificates in PEM, and holds none",
                      IV_STR_ARG(path));
    }
}

/* Of an endpoint: where nothing is called its file is not opened. */
static void read_credential(struct iv_str *out, struct reading *r, const struct iv_yaml_node *node,
                            enum iv_secret_extent extent)
{
    struct iv_str path = {NULL, 0};
    if (responds(r)) {
        read_secret_part(out, r, node, extent);
    } else if (node != NULL) {
        (void)iv_yaml_string(&path, node, r->problems);
    }
}

static void check_trust(struct reading *r, struct iv_str path, const struct iv_yaml_node *node)
{
    if (responds(r)) {
        check_certificates(r, path, node);
    }
}

static void read_credentials(struct reading *r, struct iv_endpoint *out, struct iv_yaml_map *map)
{
    static const char *const ways[] = {"basic", "post"};
    size_t way = IV_CLIENT_BASIC;
    read_text(&out->bearer_token_file, r, iv_yaml_get(map, "bearer_token_file"));
    read_text(&out->client_id, r, iv_yaml_get(map, "client_id"));
    const struct iv_yaml_node *secret = iv_yaml_get(map, "client_secret_file");
    read_credential(&out->client_secret, r, secret, IV_SECRET_LINE);
    if (secret != NULL && !responds(r)) {
        out->client_secret = IV_STR(""); /* it has one, which goes with its client_id */
    }
    const struct iv_yaml_node *auth = iv_yaml_get(map, "client_auth");
    (void)(auth != NULL && iv_yaml_choice(&way, auth, ways, IV_COUNT(ways), r->problems));
    out->client_auth = (enum iv_client_auth)way;
    const struct iv_yaml_node *certificate = iv_yaml_get(map, "certificate");
    read_text(&out->certificate, r, certificate);
    check_trust(r, out->certificate, certificate);
    read_text(&out->key, r, iv_yaml_get(map, "key"));
}

static void read_set_issuer(struct reading *r, struct iv_set_issuer *out, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (node != NULL) {
        iv_yaml_open(&map, node, "set", r->problems);
        read_text(&out->issuer, r, iv_yaml_need(&map, "issuer"));
        read_text(&out->audience, r, iv_yaml_need(&map, "audience"));
        read_credential(&out->key, r, iv_yaml_need(&map, "key_file"), IV_SECRET_WHOLE);
        read_text(&out->key_id, r, iv_yaml_get(&map, "key_id"));
        iv_yaml_close(&map);
    }
}

static void read_endpoint(struct reading *r, struct iv_endpoint *out, const struct iv_yaml_pair *pair)
{
    struct iv_yaml_map map;
    out->name = keep(r, pair->key->text);
    iv_yaml_open(&map, pair->value, "endpoint", r->problems);
    read_text(&out->url, r, iv_yaml_need(&map, "url"));
    read_credential(&out->hmac_key, r, iv_yaml_get(&map, "hmac_key_file"), IV_SECRET_LINE);
    const struct iv_yaml_node *ca_file = iv_yaml_get(&map, "ca_file");
    read_text(&out->ca_file, r, ca_file);
    check_trust(r, out->ca_file, ca_file);
    read_credentials(r, out, &map);
    read_set_issuer(r, &out->set, iv_yaml_get(&map, "set"));
    const struct iv_yaml_node *allow_http = iv_yaml_get(&map, "allow_http");
    (void)(allow_http != NULL && iv_yaml_bool(&out->allow_http, allow_http, r->problems));
    iv_yaml_close(&map);
    struct iv_err why;
    if (out->url.p != NULL && !iv_ok(iv_endpoint_check(out, &why))) {
        iv_yaml_error(r->problems, iv_yaml_at(pair->value, "url"), "%s", why.text);
    }
}

static void read_endpoints(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_config *c = r->config;
    if (node == NULL) {
        return;
    }
    if (node->kind != IV_YAML_MAP) {
        iv_yaml_error(r->problems, node, "endpoints must be a mapping from names to endpoints, got a %s",
                      iv_yaml_what(node));
        return;
    }
    c->endpoints = iv_arena_zalloc(&c->arena, node->count * sizeof *c->endpoints);
    for (size_t i = 0; c->endpoints != NULL && i < node->count; i++) {
        read_endpoint(r, &c->endpoints[c->endpoint_count++], &node->pairs[i]);
    }
}

static void read_respond(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (node != NULL) {
        iv_yaml_open(&map, node, "respond", r->problems);
        const struct iv_yaml_node *dry_run = iv_yaml_get(&map, "dry_run");
        (void)(dry_run != NULL && iv_yaml_bool(&r->config->respond.dry_run, dry_run, r->problems));
        read_text(&r->config->respond.pause_file, r, iv_yaml_get(&map, "pause_file"));
        iv_yaml_close(&map);
    }
}

static void read_canary(struct reading *r, const struct iv_yaml_node *node)
{
    struct iv_yaml_map map;
    if (node != NULL) {
        iv_yaml_open(&map, node, "canary", r->problems);
        const struct iv_yaml_node *every = iv_yaml_need(&map, "every");
        iv_ns *out = &r->config->canary_every;
        if (iv_yaml_duration(out, every, r->problems) && (*out < IV_NS_PER_S || *out > 3600 * IV_NS_PER_S)) {
            iv_yaml_error(r->problems, every, "canary.every must be between 1s and 1h, got '" IV_STR_FMT "'",
                          IV_STR_ARG(every->text));
        }
        iv_yaml_close(&map);
    }
}

static void read_log(struct reading *r, const struct iv_yaml_node *node)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    static const char *const formats[] = {"logfmt", "json"};
    size_t level = IV_LOG_INFO;
    size_t format = IV_LOG_LOGFMT;
    struct iv_yaml_map map;
    if (node != NULL) {
        iv_yaml_open(&map, node, "log", r->problems);
        const struct iv_yaml_node *at = iv_yaml_get(&map, "level");
        (void)(at != NULL && iv_yaml_choice(&level, at, levels, IV_COUNT(levels), r->problems));
        at = iv_yaml_get(&map, "format");
        (void)(at != NULL && iv_yaml_choice(&format, at, formats, IV_COUNT(formats), r->problems));
        iv_yaml_close(&map);
    }
    r->config->log_level = (enum iv_log_level)level;
    r->config->log_format = (enum iv_log_format)format;
}

static void read_confinement(struct reading *r, struct iv_yaml_map *root)
{
    static const char *const modes[] = {"enforce", "log", "off"};
    const struct iv_yaml_node *group = iv_yaml_get(root, "group");
    const struct iv_yaml_node *mode = iv_yaml_get(root, "confinement");
    size_t chosen = IV_CONFINE_ENFORCE;
    read_text(&r->config->user, r, iv_yaml_get(root, "user"));
    read_text(&r->config->group, r, group);
    if (r->config->group.p != NULL && r->config->user.p == NULL) {
        iv_yaml_error(r->problems, group, "group goes with user: who is to have this group");
    }
    (void)(mode != NULL && iv_yaml_choice(&chosen, mode, modes, IV_COUNT(modes), r->problems));
    r->config->confinement = (enum iv_confine_mode)chosen;
}

static void read_root(struct reading *r, const struct iv_yaml_node *root)
{
    struct iv_yaml_map map;
    iv_yaml_open(&map, root, "configuration", r->problems);
    read_text(&r->config->baseline, r, iv_yaml_need(&map, "baseline"));
    const struct iv_yaml_node *kafka = iv_yaml_need(&map, "kafka");
    read_kafka(r, kafka);
    complete_kafka(r, kafka);
    read_topics(r, iv_yaml_get(&map, "topics"));
    r->config->workers = 1;
    const struct iv_yaml_node *workers = iv_yaml_get(&map, "workers");
    (void)(workers != NULL && iv_yaml_int(&r->config->workers, workers, 1, 64, r->problems));
    r->config->verifiers = iv_verify_threads_default();
    const struct iv_yaml_node *verifiers = iv_yaml_get(&map, "verifiers");
    (void)(verifiers != NULL &&
           iv_yaml_int(&r->config->verifiers, verifiers, 0, IV_VERIFY_THREADS_MAX, r->problems));
    const struct iv_yaml_node *roles = iv_yaml_get(&map, "roles");
    r->config->roles = iv_config_roles_read(roles, r->problems);
    r->config->roles = r->roles != 0 ? r->roles : r->config->roles;
    read_store(r, iv_yaml_get(&map, "store"));
    read_snapshots(r, iv_yaml_get(&map, "snapshots"));
    read_memory(r, iv_yaml_get(&map, "memory"));
    read_console(r, iv_yaml_get(&map, "console"));
    read_signer(r, iv_yaml_get(&map, "signing_key_file"));
    read_endpoints(r, iv_yaml_get(&map, "endpoints"));
    r->alerts = iv_yaml_get(&map, "alerts");
    read_respond(r, iv_yaml_get(&map, "respond"));
    read_canary(r, iv_yaml_get(&map, "canary"));
    iv_config_read_local(&r->config->local, &r->config->arena, iv_yaml_get(&map, "local"), responds(r),
                         r->problems);
    read_log(r, iv_yaml_get(&map, "log"));
    read_confinement(r, &map);
    iv_yaml_close(&map);
}

static bool environment(void *ctx, struct iv_str *out, struct iv_str name)
{
    char *zero_ended = iv_strndup(name.p, name.n);
    const char *value = zero_ended == NULL ? NULL : getenv(zero_ended);
    (void)ctx;
    iv_free(zero_ended);
    *out = iv_str_of(value);
    return value != NULL;
}

static void wipe_text(struct iv_str *secret)
{
    if (secret->p != NULL) {
        explicit_bzero((void *)(uintptr_t)secret->p, secret->n);
        secret->n = 0;
    }
}

/* Of Kafka's properties any may be one. */
void iv_config_wipe(struct iv_config *config)
{
    for (size_t i = 0; i < config->endpoint_count; i++) {
        iv_endpoint_wipe(&config->endpoints[i]);
    }
    for (size_t i = 0; i < config->kafka_count; i++) {
        wipe_text(&config->kafka[i].value);
    }
    iv_signer_free(config->signer);
    iv_alerting_free(config->alerts);
    config->signer = NULL;
    config->alerts = NULL;
}

void iv_config_free(struct iv_config *config)
{
    if (config != NULL) {
        iv_config_wipe(config);
        iv_arena_deinit(&config->arena);
        iv_free(config);
    }
}

void iv_config_freep(struct iv_config **config)
{
    iv_config_free(*config);
}

iv_rc iv_config_load(struct iv_config **out, const char *path, const char *roles,
                     struct iv_problems *problems, struct iv_err *err)
{
    static const struct iv_yaml_variables variables = {environment, NULL};
    path = path == NULL ? DEFAULT_PATH : path;
    IV_AUTO(iv_yaml_freep) struct iv_yaml *document = NULL;
    IV_AUTO(iv_config_freep) struct iv_config *config = iv_calloc(1, sizeof *config);
    ENSURE(config != NULL, err, IV_E_NOMEM, "cannot allocate a configuration");
    iv_arena_init(&config->arena, 0);
    TRY(iv_yaml_read(&document, iv_str_of(path), &variables, problems, err));
    struct reading r = {.config = config, .problems = problems};
    TRY(iv_config_roles_parse(&r.roles, roles, err));
    read_root(&r, iv_yaml_root(document));
    TRY(iv_alerting_read(&config->alerts, responds(&r) ? r.alerts : NULL, problems, err));
    *out = TAKE(config);
    return iv_problems_done(problems, path, err);
}
