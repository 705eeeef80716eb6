/* SPDX-License-Identifier: Apache-2.0 */
#include "trial/test_note.h"

#include "base/encode.h"
#include "base/guard.h"
#include "baseline/yaml_fields.h"
#include "event/checkpoint.h"

static void tree_of(struct iv_merkle_hash *out, const struct iv_test_log *log, uint64_t size,
                    struct iv_digester *digester)
{
    struct iv_merkle tree = {0};
    for (uint64_t i = 0; i < size; i++) {
        iv_merkle_append(&tree, digester,
                         (struct iv_str){(const char *)log->leaves[i].bytes, log->leaves[i].n});
    }
    iv_merkle_root(out, digester, &tree);
}

/* What the map says in place of what would be true. */
static bool read_checkpoint(struct iv_checkpoint *out, struct iv_yaml_map *map, struct iv_problems *problems)
{
    int64_t size = (int64_t)out->size;
    const struct iv_yaml_node *given = iv_yaml_get(map, "size");
    const struct iv_yaml_node *root = iv_yaml_get(map, "root");
    const struct iv_yaml_node *origin = iv_yaml_get(map, "origin");
    struct iv_str text;
    bool whole = given == NULL || iv_yaml_int(&size, given, 0, INT64_MAX, problems);
    whole = (origin == NULL || iv_yaml_string(&out->origin, origin, problems)) && whole;
    out->size = (uint64_t)size;
    if (root != NULL && iv_yaml_string(&text, root, problems)) {
        if (!iv_hex_decode(out->root.bytes, sizeof out->root.bytes, text)) {
            iv_yaml_error(problems, root, "a root is %d bytes in hex", IV_MERKLE_BYTES);
            whole = false;
        }
    }
    return whole;
}

static iv_rc read_note(struct iv_checkpoint *out, struct iv_checkpoint *altered,
                       const struct iv_yaml_node **key, struct iv_digester *digester,
                       const struct iv_test_log *log, const struct iv_yaml_node *node,
                       struct iv_problems *problems, struct iv_err *err)
{
    struct iv_yaml_map map;
    struct iv_yaml_map changes;
    *out = (struct iv_checkpoint){.origin = log->id, .size = log->size};
    (void)iv_yaml_open(&map, node, "note", problems);
    *key = iv_yaml_need(&map, "sign");
    bool whole = read_checkpoint(out, &map, problems);
    if (iv_yaml_at(node, "root") == NULL) {
        tree_of(&out->root, log, out->size < log->size ? out->size : log->size, digester);
    }
    *altered = *out;
    const struct iv_yaml_node *changed = iv_yaml_get(&map, "altered");
    if (changed != NULL) {
        (void)iv_yaml_open(&changes, changed, "altered", problems);
        whole = read_checkpoint(altered, &changes, problems) && whole;
        iv_yaml_close(&changes);
    }
    iv_yaml_close(&map);
    ENSURE(whole && *key != NULL, err, IV_E_REFUSED, "a note of a test cannot be read");
    return IV_OK;
}

iv_rc iv_test_note(struct iv_buf *out, const struct iv_test_keys *keys, struct iv_digester *digester,
                   const struct iv_test_log *log, const struct iv_yaml_node *node,
                   struct iv_problems *problems, struct iv_err *err)
{
    struct iv_checkpoint checkpoint;
    struct iv_checkpoint altered;
    const struct iv_yaml_node *key;
    if (log->size > IV_TEST_LEAVES) {
        iv_yaml_error(problems, node, "a test's checkpoint may cover %d events", IV_TEST_LEAVES);
        return iv_err_set(err, IV_E_REFUSED, "a note of a test covers too many events");
    }
    TRY(read_note(&checkpoint, &altered, &key, digester, log, node, problems, err));
    const struct iv_signer *signer = iv_test_signer(keys, key, problems);
    ENSURE(signer != NULL, err, IV_E_REFUSED, "a note of a test cannot be signed");
    struct iv_buf note;
    struct iv_note parts;
    iv_buf_init(&note, IV_NOTE_BYTES);
    struct iv_rc_s rc = iv_checkpoint_sign(&note, &checkpoint, key->text, signer, digester, err);
    if (iv_ok(rc)) {
        rc = iv_note_parse(&parts, iv_buf_slice(&note), err);
    }
    if (iv_ok(rc)) {
        iv_checkpoint_write(out, &altered);
        iv_buf_char(out, '\n');
        iv_buf_str(out, parts.signatures);
    }
    iv_buf_deinit(&note);
    if (rc.code == IV_E_SYNTAX) {
        iv_yaml_error(problems, node, "the test's note cannot be signed: %s", err == NULL ? "" : err->text);
        return iv_err_set(err, IV_E_REFUSED, "a note of a test cannot be signed");
    }
    return rc;
}
