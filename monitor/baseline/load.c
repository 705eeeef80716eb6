/* SPDX-License-Identifier: Apache-2.0 */
/* From a folder to a frozen baseline: the order in which its parts are read. */
#include "baseline/load.h"
#include "baseline/functions.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <glob.h>
#include <sys/stat.h>

void iv_load_fail(struct iv_load *load, struct iv_rc_s rc)
{
    if (!iv_load_failed(load)) {
        load->failed = rc;
    }
}

static void no_memory(struct iv_load *load)
{
    if (!iv_load_failed(load)) {
        load->failed = iv_err_set(load->err, IV_E_NOMEM, "cannot hold the baseline in memory");
    }
}

void *iv_load_alloc(struct iv_load *load, size_t count, size_t size)
{
    void *p = iv_arena_zalloc(&load->body->arena, (count == 0 ? 1 : count) * size);
    if (p == NULL) {
        no_memory(load);
    }
    return p;
}

struct iv_str iv_load_str(struct iv_load *load, struct iv_str text)
{
    struct iv_str copy = iv_arena_str(&load->body->arena, text);
    if (copy.p == NULL) {
        no_memory(load);
    }
    return copy;
}

static struct iv_owned *own(struct iv_load *load)
{
    struct iv_owned *o = iv_load_alloc(load, 1, sizeof *o);
    if (o != NULL) {
        o->next = load->body->owned;
        load->body->owned = o;
    }
    return o;
}

bool iv_load_own_document(struct iv_load *load, struct iv_yaml *document)
{
    struct iv_owned *o = own(load);
    if (o != NULL) {
        o->document = document;
    }
    return o != NULL;
}

bool iv_load_own_env(struct iv_load *load, struct iv_cel_env *env)
{
    struct iv_owned *o = own(load);
    if (o != NULL) {
        o->env = env;
    }
    return o != NULL;
}

bool iv_load_own_prog(struct iv_load *load, struct iv_cel_prog *prog)
{
    struct iv_owned *o = own(load);
    if (o != NULL) {
        o->prog = prog;
    }
    return o != NULL;
}

struct iv_str iv_load_head(struct iv_load *load, struct iv_yaml_map *map, const char *kind, bool referred_to,
                           struct iv_str *version)
{
    struct iv_problems *problems = load->problems;
    struct iv_str name = IV_STR("");
    const char *const apis[] = {"invigil/v1"};
    const char *const kinds[] = {kind};
    size_t one;
    (void)iv_yaml_choice(&one, iv_yaml_need(map, "apiVersion"), apis, 1, problems);
    (void)iv_yaml_choice(&one, iv_yaml_need(map, "kind"), kinds, 1, problems);
    struct iv_yaml_map metadata;
    (void)iv_yaml_open(&metadata, iv_yaml_get(map, "metadata"), "metadata", problems);
    const struct iv_yaml_node *named = iv_yaml_get(&metadata, "name");
    if (!iv_yaml_string(&name, named, problems) && named == NULL && referred_to) {
        iv_yaml_error(problems, map->node, "%s lacks the key 'metadata.name'", map->what);
    }
    struct iv_str ignored;
    (void)iv_yaml_string(version == NULL ? &ignored : version, iv_yaml_get(&metadata, "version"), problems);
    (void)iv_yaml_string(&ignored, iv_yaml_get(&metadata, "title"), problems);
    (void)iv_yaml_string(&ignored, iv_yaml_get(&metadata, "description"), problems);
    iv_yaml_close(&metadata);
    return iv_load_str(load, name);
}

/* The root of a file that the load has read; NULL where it cannot be, which is reported. */
static const struct iv_yaml_node *read_file(struct iv_load *load, struct iv_str path)
{
    struct iv_yaml *document = NULL;
    struct iv_rc_s rc = iv_yaml_read(&document, path, NULL, load->problems, load->err);
    if (rc.code == IV_E_REFUSED) {
        return NULL;
    }
    if (!iv_ok(rc) || !iv_load_own_document(load, document)) {
        iv_yaml_free(document);
        iv_load_fail(load, rc);
        return NULL;
    }
    return iv_yaml_root(document);
}

static struct iv_str join(struct iv_load *load, struct iv_str name)
{
    bool absolute = name.n > 0 && name.p[0] == '/';
    struct iv_str path = absolute || load->folder.n == 0
                             ? iv_load_str(load, name)
                             : iv_arena_printf(&load->body->arena, IV_STR_FMT "/" IV_STR_FMT,
                                               IV_STR_ARG(load->folder), IV_STR_ARG(name));
    if (path.p == NULL) {
        no_memory(load);
    }
    return path;
}

/* The folder's own name is no pattern. */
static bool glob_in_folder(struct iv_load *load, glob_t *matches, int *rc, struct iv_str pattern)
{
    struct iv_buf text;
    iv_buf_init(&text, 1u << 16);
    bool relative = pattern.n == 0 || pattern.p[0] != '/';
    for (size_t i = 0; relative && i < load->folder.n; i++) {
        if (strchr("*?[\\", load->folder.p[i]) != NULL) {
            iv_buf_char(&text, '\\');
        }
        iv_buf_char(&text, load->folder.p[i]);
    }
    iv_buf_text(&text, relative && load->folder.n > 0 ? "/" : "");
    iv_buf_str(&text, pattern);
    bool ok = !iv_buf_failed(&text);
    *rc = ok ? glob(text.p, GLOB_ERR, NULL, matches) : GLOB_NOSPACE;
    iv_buf_deinit(&text);
    return *rc == 0;
}

struct read_files {
    struct iv_str *paths;
    size_t count;
    size_t capacity;
};

static bool read_before(const struct read_files *files, struct iv_str path)
{
    for (size_t i = 0; i < files->count; i++) {
        if (iv_str_eq(files->paths[i], path)) {
            return true;
        }
    }
    return false;
}

static bool remember(struct read_files *files, struct iv_str path)
{
    if (files->count == files->capacity) {
        size_t capacity = files->capacity == 0 ? 16 : files->capacity * 2;
        struct iv_str *grown = iv_realloc(files->paths, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        files->paths = grown;
        files->capacity = capacity;
    }
    files->paths[files->count++] = path;
    return true;
}

static void load_matches(struct iv_load *load, struct read_files *files, const glob_t *matches,
                         void (*fn)(struct iv_load *load, const struct iv_yaml_node *root))
{
    for (size_t i = 0; i < matches->gl_pathc && !iv_load_failed(load); i++) {
        struct iv_str path = iv_load_str(load, iv_str_of(matches->gl_pathv[i]));
        if (iv_load_failed(load) || read_before(files, path)) {
            continue; /* two globs may name one file */
        }
        if (!remember(files, path)) {
            no_memory(load);
            return;
        }
        const struct iv_yaml_node *root = read_file(load, path);
        if (root != NULL) {
            fn(load, root);
        } else {
            load->unread = true;
        }
    }
}

void iv_load_files(struct iv_load *load, const struct iv_yaml_node *globs, const char *what,
                   void (*fn)(struct iv_load *load, const struct iv_yaml_node *root))
{
    struct iv_yaml_items items;
    struct read_files files = {0};
    (void)iv_yaml_list(&items, globs, load->problems);
    for (size_t i = 0; i < items.count && !iv_load_failed(load); i++) {
        struct iv_str pattern;
        if (!iv_yaml_string(&pattern, iv_yaml_item(&items, i), load->problems)) {
            continue;
        }
        glob_t matches;
        int rc;
        if (glob_in_folder(load, &matches, &rc, pattern)) {
            load_matches(load, &files, &matches, fn);
            globfree(&matches);
        } else if (rc == GLOB_NOSPACE) {
            no_memory(load);
        } else {
            iv_yaml_error(load->problems, iv_yaml_item(&items, i), "no %s '" IV_STR_FMT "'", what,
                          IV_STR_ARG(join(load, pattern)));
        }
    }
    iv_free(files.paths);
}

void iv_load_playbook(struct iv_load *load, const struct iv_yaml_node *root)
{
    struct iv_baseline *pub = &load->body->pub;
    struct iv_yaml_map map; /* its other keys are the room respond's to judge */
    if (!iv_yaml_open(&map, root, "playbook", load->problems)) {
        return;
    }
    struct iv_playbook_source playbook = {
        .name = iv_load_head(load, &map, "Playbook", true, NULL),
        .file = iv_yaml_file(root->document),
        .text = iv_yaml_text(root->document),
    };
    if (!iv_yaml_value(&playbook.document, &load->body->arena, root)) {
        no_memory(load);
        return;
    }
    for (size_t i = 0; i < pub->playbook_count; i++) {
        if (iv_str_eq(pub->playbooks[i].name, playbook.name)) {
            iv_yaml_error(load->problems, root,
                          "a second playbook of the name '" IV_STR_FMT "', the first is in " IV_STR_FMT,
                          IV_STR_ARG(playbook.name), IV_STR_ARG(pub->playbooks[i].file));
            return;
        }
    }
    struct iv_playbook_source *all = iv_load_alloc(load, pub->playbook_count + 1, sizeof *all);
    if (all != NULL) {
        if (pub->playbook_count > 0) {
            memcpy(all, pub->playbooks, pub->playbook_count * sizeof *all);
        }
        all[pub->playbook_count++] = playbook;
        pub->playbooks = all;
    }
}

static void make_environments(struct iv_load *load)
{
    struct iv_cel_env *env = NULL;
    struct iv_rc_s rc = iv_cel_env_new(&env, load->err);
    if (!iv_ok(rc) || !iv_load_own_env(load, env)) {
        iv_cel_env_free(env);
        iv_load_fail(load, rc);
        return;
    }
    load->functions = env;
    rc = iv_load_functions(env, load->body->keyring, load->err);
    env = NULL;
    rc = iv_ok(rc) ? iv_cel_env_extend(&env, load->functions, load->err) : rc;
    if (!iv_ok(rc) || !iv_load_own_env(load, env)) {
        iv_cel_env_free(env);
        iv_load_fail(load, rc);
        return;
    }
    load->parameters = env;
    load->body->pub.expressions = env;
}

/* EVT-001 is in force with every baseline: the engine finds equivocations itself, this is what it reports
 * them as. */
static void add_equivocation(struct iv_load *load)
{
    static const struct iv_str criteria[] = {IV_STR_INIT("CC7.2"), IV_STR_INIT("PI1.3")};
    struct iv_baseline *pub = &load->body->pub;
    size_t words = iv_catalogue_types(pub->catalogue) / 64 + 1;
    uint64_t *types = iv_load_alloc(load, words, sizeof *types);
    uint64_t *fields = iv_load_alloc(load, iv_catalogue_names(pub->catalogue) / 64 + 1, sizeof *fields);
    struct iv_rule *rule = iv_load_alloc(load, 1, sizeof *rule);
    if (types == NULL || fields == NULL || rule == NULL) {
        return;
    }
    memset(types, 0xff, words * sizeof *types);
    *rule = (struct iv_rule){
        .id = IV_STR("EVT-001"),
        .title = IV_STR("Two events of one identity"),
        .description = IV_STR(
            "Two records bear the same source and id with different content: one of them was forged, or the "
            "producer cannot be trusted to name its events."),
        .pack = IV_STR("built in"),
        .source_text = IV_STR(""),
        .severity = IV_SEV_HIGH,
        .mode = pub->mode,
        .criteria = criteria,
        .criteria_count = IV_COUNT(criteria),
        .at = {IV_STR("built in"), 1, 1},
        .index = (uint16_t)load->rule_count,
        .form = IV_FORBID,
        .on = {types, {true, true}},
        .at_least = {.i = 1},
        .trigger_fields = fields,
        .partner_fields = fields,
        .scope = IV_STR("the records of one event bear one key of Kafka"),
    };
    memcpy(rule->digest, "EVT-001", 7);
    struct iv_rule **rules = iv_load_alloc(load, load->rule_count + 1, sizeof *rules);
    if (rules != NULL) {
        if (load->rule_count > 0) {
            memcpy(rules, load->rules, load->rule_count * sizeof *rules);
        }
        rules[load->rule_count] = rule;
        pub->rules = (const struct iv_rule *const *)rules;
        pub->rule_count = load->rule_count + 1;
        pub->equivocation = rule;
    }
}

static void load_root(struct iv_load *load)
{
    struct iv_baseline *pub = &load->body->pub;
    struct iv_problems *problems = load->problems;
    struct iv_yaml_map map;
    (void)iv_yaml_open(&map, load->root, "baseline", problems);
    struct iv_str version = IV_STR("");
    pub->name = iv_load_head(load, &map, "Baseline", false, &version);
    pub->version = iv_load_str(load, version);
    iv_load_streams(load, iv_yaml_get(&map, "streams"));
    (void)iv_yaml_duration(&pub->idle, iv_yaml_get(&map, "idle"), problems);
    (void)iv_yaml_duration(&pub->dedup, iv_yaml_get(&map, "dedup"), problems);
    iv_load_mode(&pub->mode, iv_yaml_get(&map, "mode"), problems);
    iv_load_keys(load, iv_yaml_get(&map, "keys"));
    iv_load_events(load, iv_yaml_get(&map, "events"));
    const struct iv_yaml_node *parameters = iv_yaml_get(&map, "parameters");
    const struct iv_yaml_node *overrides = iv_yaml_get(&map, "overrides");
    const struct iv_yaml_node *waivers = iv_yaml_get(&map, "waivers");
    const struct iv_yaml_node *packs = iv_yaml_get(&map, "packs");
    const struct iv_yaml_node *playbooks = iv_yaml_get(&map, "playbooks");
    iv_load_authority(load, iv_yaml_get(&map, "authority"));
    iv_yaml_close(&map);
    if (iv_load_failed(load)) {
        return;
    }
    make_environments(load);
    if (!iv_load_failed(load)) {
        iv_load_parameters(load, parameters);
        iv_load_overrides(load, overrides);
        load->sound = iv_problems_errors(problems) == load->errors_before;
        iv_load_files(load, playbooks, "playbook", iv_load_playbook);
        iv_load_files(load, packs, "rule pack", iv_load_pack);
    }
    if (!iv_load_failed(load)) {
        add_equivocation(load);
    }
    if (!iv_load_failed(load) && load->trial != NULL) {
        iv_load_trial_parameters(load);
    } else if (!iv_load_failed(load)) {
        iv_load_waivers(load, waivers); /* they name rules that a trial has not */
    }
}

static struct iv_rc_s new_body(struct iv_baseline_body **out, struct iv_err *err)
{
    struct iv_baseline_body *body = iv_calloc(1, sizeof *body);
    ENSURE(body != NULL, err, IV_E_NOMEM, "cannot allocate a baseline");
    iv_arena_init(&body->arena, 0);
    atomic_init(&body->references, 1);
    body->pub.streams[IV_LEDGER] = (struct iv_stream_policy){.topic = IV_STR("ledger")};
    body->pub.streams[IV_TELEMETRY] =
        (struct iv_stream_policy){.topic = IV_STR("telemetry"), .lateness = 2 * IV_NS_PER_S};
    body->pub.idle = 500 * IV_NS_PER_MS;
    body->pub.dedup = 60 * IV_NS_PER_S;
    struct iv_rc_s rc = iv_catalogue_new(&body->catalogue, err);
    rc = iv_ok(rc) ? iv_keyring_new(&body->keyring, err) : rc;
    body->pub.catalogue = body->catalogue;
    body->pub.keyring = body->keyring;
    *out = body;
    return rc;
}

static bool is_folder(struct iv_load *load, struct iv_str path)
{
    struct stat st;
    struct iv_str name = iv_load_str(load, path);
    return name.p != NULL && stat(name.p, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A folder stands for the baseline.yaml in it. */
static void find_root(struct iv_load *load, struct iv_str path)
{
    while (path.n > 1 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    bool file = !is_folder(load, path);
    const char *slash = file ? memrchr(path.p, '/', path.n) : NULL;
    load->folder = path;
    if (file) {
        load->folder.n = slash == NULL ? 0 : slash == path.p ? 1 : (size_t)(slash - path.p);
    }
    struct iv_str whole = file ? path : join(load, IV_STR("baseline.yaml"));
    if (!iv_load_failed(load)) {
        load->root = read_file(load, whole);
    }
}

/* Playbooks are looked at by the rules that stand; what is wrong with the others has been said. */
static void drop_broken_rules(struct iv_load *load)
{
    struct iv_baseline *pub = &load->body->pub;
    const struct iv_rule **whole = iv_load_alloc(load, pub->rule_count + 1, sizeof *whole);
    size_t count = 0;
    for (size_t i = 0; whole != NULL && i < pub->rule_count; i++) {
        if (i >= load->rule_count || !load->broken[i]) {
            whole[count++] = pub->rules[i];
        }
    }
    pub->rules = (const struct iv_rule *const *)whole;
    pub->rule_count = count;
}

static struct iv_rc_s load_baseline(struct iv_baseline **out, struct iv_baseline **rest, struct iv_str path,
                                    bool signed_too, const struct iv_baseline_trial *trial,
                                    struct iv_problems *problems, struct iv_err *err)
{
    struct iv_load load = {.trial = trial, .problems = problems, .err = err};
    load.errors_before = iv_problems_errors(problems);
    struct iv_rc_s rc = new_body(&load.body, err);
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *pub = load.body == NULL ? NULL : &load.body->pub;
    TRY(rc);
    find_root(&load, path);
    if (load.root != NULL) {
        load_root(&load);
    }
    TRY(load.failed);
    if (iv_problems_errors(problems) == 0) {
        TRY(iv_load_digest(&load, err));
        if (signed_too) {
            iv_load_signature(&load);
        }
    }
    TRY(load.failed);
    struct iv_rc_s sound = iv_problems_done(problems, "the baseline", err);
    if (rest != NULL && sound.code == IV_E_REFUSED && load.sound) {
        drop_broken_rules(&load);
        TRY(load.failed);
        *rest = TAKE(pub);
    }
    TRY(sound);
    *out = TAKE(pub);
    return IV_OK;
}

struct iv_rc_s iv_baseline_load(struct iv_baseline **out, struct iv_str path, struct iv_problems *problems,
                                struct iv_err *err)
{
    return load_baseline(out, NULL, path, true, NULL, problems, err);
}

struct iv_rc_s iv_baseline_load_rest(struct iv_baseline **out, struct iv_baseline **rest, struct iv_str path,
                                     struct iv_problems *problems, struct iv_err *err)
{
    return load_baseline(out, rest, path, true, NULL, problems, err);
}

struct iv_rc_s iv_baseline_load_unsigned(struct iv_baseline **out, struct iv_str path,
                                         struct iv_problems *problems, struct iv_err *err)
{
    return load_baseline(out, NULL, path, false, NULL, problems, err);
}

struct iv_rc_s iv_baseline_load_trial(struct iv_baseline **out, struct iv_str path,
                                      const struct iv_baseline_trial *trial, struct iv_problems *problems,
                                      struct iv_err *err)
{
    return load_baseline(out, NULL, path, false, trial, problems, err);
}
