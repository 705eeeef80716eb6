/* SPDX-License-Identifier: Apache-2.0 */
/* The digest that names a baseline, those that name its rules, and the signature over the former.
 * Source: RFC 8785 (JCS). */
#include "baseline/digest.h"

#include "base/digest.h"
#include "base/encode.h"
#include "base/file.h"
#include "base/guard.h"
#include "event/chain.h"
#include "event/sign.h"

#define JSON_SAFE_INT (INT64_C(1) << 53)

/* JSON has fewer types than YAML: what would be read as something else is put into a map under the type's
 * name. */
static bool tag(struct iv_val *out, struct iv_arena *arena, struct iv_str type, const struct iv_val *v)
{
    struct iv_val *pair = iv_arena_alloc(arena, 2 * sizeof *pair);
    struct iv_buf text;
    if (pair == NULL) {
        return false;
    }
    iv_buf_init(&text, 4096);
    iv_val_json(&text, v);
    struct iv_str copy = iv_arena_str(arena, iv_buf_slice(&text));
    bool ok = !iv_buf_failed(&text) && copy.p != NULL;
    iv_buf_deinit(&text);
    pair[0] = iv_val_str(type);
    pair[1] = iv_val_str(copy);
    *out = (struct iv_val){.kind = IV_KIND_MAP, .n = 1, .items = pair};
    return ok;
}

static bool to_json(struct iv_val *out, struct iv_arena *arena, const struct iv_val *v)
{
    switch (v->kind) {
    case IV_KIND_DURATION:
        return tag(out, arena, IV_STR("$duration"), v);
    case IV_KIND_TIMESTAMP:
        return tag(out, arena, IV_STR("$time"), v);
    case IV_KIND_DOUBLE:
        return tag(out, arena, IV_STR("$double"), v);
    case IV_KIND_INT:
        if (v->i > JSON_SAFE_INT || v->i < -JSON_SAFE_INT) {
            return tag(out, arena, IV_STR("$int"), v);
        }
        break;
    case IV_KIND_LIST:
    case IV_KIND_MAP: {
        size_t n = v->kind == IV_KIND_MAP ? 2 * (size_t)v->n : v->n;
        struct iv_val *items = iv_arena_alloc(arena, (n + 1) * sizeof *items);
        for (size_t i = 0; items != NULL && i < n; i++) {
            if (!to_json(&items[i], arena, &v->items[i])) {
                return false;
            }
        }
        *out = (struct iv_val){.kind = v->kind, .n = v->n, .items = items};
        return items != NULL;
    }
    default:
        break;
    }
    *out = *v;
    return true;
}

struct iv_rc_s iv_digest_value(struct iv_digesting *d, struct iv_digest *out, const struct iv_val *v,
                               struct iv_err *err)
{
    struct iv_val json;
    ENSURE(to_json(&json, &d->arena, v), err, IV_E_NOMEM, "cannot hold the baseline in memory");
    iv_buf_clear(&d->text);
    TRY(iv_jcs_value(&d->text, &json, NULL, err));
    ENSURE(!iv_buf_failed(&d->text), err, IV_E_NOMEM, "cannot hold the baseline in memory");
    iv_digest(d->digester, out, IV_SHA384, iv_buf_slice(&d->text));
    return IV_OK;
}

struct iv_rc_s iv_digest_node(struct iv_digesting *d, struct iv_val *out, const struct iv_yaml_node *node,
                              struct iv_err *err)
{
    *out = (struct iv_val){.kind = IV_KIND_NULL};
    ENSURE(node == NULL || iv_yaml_value(out, &d->arena, node), err, IV_E_NOMEM,
           "cannot hold the baseline in memory");
    return IV_OK;
}

/* {"baseline": …, "packs": […], "playbooks": […]}: what the files say, not what they are called. */
static struct iv_rc_s digest_all(struct iv_load *load, struct iv_digesting *d, struct iv_digest *out,
                                 struct iv_err *err)
{
    const struct iv_baseline *pub = &load->body->pub;
    struct iv_val *packs = iv_load_alloc(load, load->pack_count, sizeof *packs);
    struct iv_val *playbooks = iv_load_alloc(load, pub->playbook_count, sizeof *playbooks);
    TRY(load->failed);
    for (size_t i = 0; i < load->pack_count; i++) {
        TRY(iv_digest_node(d, &packs[i], load->packs[i], err));
    }
    for (size_t i = 0; i < pub->playbook_count; i++) {
        playbooks[i] = pub->playbooks[i].document;
    }
    struct iv_val pairs[6] = {
        iv_val_str(IV_STR("baseline")),
        {0},
        iv_val_str(IV_STR("packs")),
        {.kind = IV_KIND_LIST, .n = (uint32_t)load->pack_count, .items = packs},
        iv_val_str(IV_STR("playbooks")),
        {.kind = IV_KIND_LIST, .n = (uint32_t)pub->playbook_count, .items = playbooks},
    };
    TRY(iv_digest_node(d, &pairs[1], load->root, err));
    struct iv_val all = {.kind = IV_KIND_MAP, .n = 3, .items = pairs};
    return iv_digest_value(d, out, &all, err);
}

static struct iv_rc_s digest_each(struct iv_load *load, struct iv_digesting *d, struct iv_err *err)
{
    struct iv_digest digest;
    struct iv_buf hex;
    TRY(digest_all(load, d, &digest, err));
    iv_buf_init(&hex, sizeof load->body->pub.digest_hex);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest.bytes, digest.n});
    bool ok = !iv_buf_failed(&hex);
    if (ok) {
        memcpy(load->body->pub.digest_hex, hex.p, hex.n + 1);
    }
    iv_buf_deinit(&hex);
    ENSURE(ok, err, IV_E_NOMEM, "cannot hold the baseline in memory");
    iv_arena_reset(&d->arena);
    for (size_t i = 0; i < load->rule_count; i++) {
        TRY(iv_digest_rule(load, d, load->rules[i], load->rule_nodes[i], err));
    }
    return IV_OK;
}

struct iv_rc_s iv_load_digest(struct iv_load *load, struct iv_err *err)
{
    struct iv_digesting d = {0};
    d.types = iv_load_alloc(load, iv_catalogue_types(load->body->catalogue) + 1, sizeof *d.types);
    TRY(load->failed);
    TRY(iv_digester_new(&d.digester, err));
    iv_arena_init(&d.arena, 0);
    iv_buf_init(&d.text, 256u << 20);
    struct iv_rc_s rc = digest_each(load, &d, err);
    iv_arena_deinit(&d.arena);
    iv_buf_deinit(&d.text);
    iv_digester_free(d.digester);
    return rc;
}

static void digest_bytes(unsigned char out[48], const struct iv_baseline *baseline)
{
    IV_CHECK(iv_hex_decode(out, 48, (struct iv_str){baseline->digest_hex, 96}));
}

struct iv_rc_s iv_baseline_sign(struct iv_buf *out, const struct iv_baseline *baseline, struct iv_str key_id,
                                const struct iv_signer *signer, struct iv_err *err)
{
    unsigned char message[48];
    unsigned char signature[64];
    digest_bytes(message, baseline);
    iv_sign(signature, signer, (struct iv_str){(const char *)message, sizeof message});
    iv_buf_str(out, key_id);
    iv_buf_char(out, ' ');
    iv_base64_encode(out, (struct iv_str){(const char *)signature, sizeof signature});
    iv_buf_char(out, '\n');
    ENSURE(!iv_buf_failed(out), err, IV_E_NOMEM, "cannot hold a signature in memory");
    return IV_OK;
}

/* A signature has no time of its own, so it is asked at one at which the key was valid. */
static struct iv_instant time_of_key(const struct iv_yaml_node *root, struct iv_str id)
{
    const struct iv_yaml_node *keys = iv_yaml_at(root, "keys");
    struct iv_instant t = {0, 0};
    for (size_t i = 0; keys != NULL && keys->kind == IV_YAML_LIST && i < keys->count; i++) {
        const struct iv_yaml_node *name = iv_yaml_at(keys->items[i], "id");
        const struct iv_yaml_node *from = iv_yaml_at(keys->items[i], "not_before");
        const struct iv_yaml_node *to = iv_yaml_at(keys->items[i], "not_after");
        if (name == NULL || name->kind != IV_YAML_SCALAR || !iv_str_eq(name->text, id)) {
            continue;
        }
        if (from != NULL && iv_instant_parse(&t, from->text)) {
            return t;
        }
        if (to != NULL && iv_instant_parse(&t, to->text)) {
            t.s--;
        }
    }
    return t;
}

static bool is_authority(const struct iv_load *load, struct iv_str id)
{
    for (size_t i = 0; i < load->authority_count; i++) {
        if (iv_str_eq(load->authority[i], id)) {
            return true;
        }
    }
    return false;
}

/* NULL: the line is a good signature. */
static const char *judge_signature(struct iv_load *load, struct iv_str line)
{
    const char *space = memchr(line.p, ' ', line.n);
    if (space == NULL) {
        return "is not of the form KEYID BASE64";
    }
    struct iv_str id = {line.p, (size_t)(space - line.p)};
    struct iv_str base64 = {space + 1, line.n - id.n - 1};
    if (!is_authority(load, id)) {
        return "names a key that is no authority of the baseline";
    }
    unsigned char message[48];
    digest_bytes(message, &load->body->pub);
    struct iv_buf signature;
    iv_buf_init(&signature, 64);
    bool good =
        iv_base64_decode(&signature, base64) && signature.n == 64 &&
        iv_keyring_verify(load->body->keyring, id, IV_STR("policy"), time_of_key(load->root, id),
                          (struct iv_str){(const char *)message, sizeof message}, iv_buf_slice(&signature));
    iv_buf_deinit(&signature);
    return good ? NULL : "does not verify: the baseline was changed, or the key is not one of role 'policy'";
}

void iv_load_signature(struct iv_load *load)
{
    if (load->authority_count == 0) {
        return;
    }
    struct iv_str path = load->folder.n == 0 ? IV_STR("baseline.sig")
                                             : iv_arena_printf(&load->body->arena, IV_STR_FMT "/baseline.sig",
                                                               IV_STR_ARG(load->folder));
    struct iv_buf text;
    struct iv_err why = {0};
    iv_buf_init(&text, 4096);
    struct iv_rc_s rc = iv_file_read(&text, path, &why);
    const struct iv_yaml_node *at = iv_yaml_at(load->root, "authority");
    if (!iv_ok(rc)) {
        iv_yaml_error(load->problems, at, "the baseline must be signed: %s", why.text);
    } else {
        struct iv_str line = iv_buf_slice(&text);
        while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r')) {
            line.n--;
        }
        const char *wrong = judge_signature(load, line);
        if (wrong != NULL) {
            iv_yaml_error(load->problems, at, "the signature in " IV_STR_FMT " %s", IV_STR_ARG(path), wrong);
        }
    }
    iv_buf_deinit(&text);
}
