/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/bundle.h"

#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "evidence/told_internal.h"

static void write_hash(struct iv_json *j, const char *name, const struct iv_merkle_hash *hash)
{
    char hex[2 * IV_MERKLE_BYTES + 1];
    struct iv_buf text;
    iv_buf_init_lent(&text, hex, sizeof hex, sizeof hex - 1);
    iv_hex_encode(&text, (struct iv_str){(const char *)hash->bytes, sizeof hash->bytes});
    iv_json_str(j, name, iv_buf_slice(&text));
}

static void write_hashes(struct iv_json *j, const char *name, const struct iv_merkle_hash *hashes,
                         unsigned count)
{
    iv_json_open_list(j, name);
    for (unsigned i = 0; i < count; i++) {
        write_hash(j, NULL, &hashes[i]);
    }
    iv_json_close_list(j);
}

void iv_bundle_write_head(struct iv_buf *out, const struct iv_bundle_head *head)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "bundle", IV_BUNDLE_FORM);
    iv_json_str(&j, "program", head->program);
    iv_json_time(&j, "from", head->from);
    iv_json_time(&j, "until", head->until);
    iv_json_int(&j, "size", (int64_t)head->size);
    write_hash(&j, "root", &head->root);
    iv_json_int(&j, "first", (int64_t)head->first);
    write_hashes(&j, "before", head->before.peaks, (unsigned)__builtin_popcountll(head->first));
    if (head->checkpoint.p != NULL) {
        iv_json_str(&j, "checkpoint", head->checkpoint);
    }
    if (head->since.p != NULL) {
        iv_json_str(&j, "since", head->since);
        write_hashes(&j, "growth", head->growth.hashes, head->growth.count);
    }
    iv_json_close_object(&j);
    iv_buf_char(out, '\n');
}

void iv_bundle_write_leaf(struct iv_buf *out, const struct iv_bundle_leaf *leaf)
{
    char room[1024];
    struct iv_buf entry;
    iv_buf_init_lent(&entry, room, sizeof room, 65536);
    iv_leaf_write(&entry, &leaf->entry);
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    iv_json_int(&j, "leaf", (int64_t)leaf->leaf);
    iv_json_raw(&j, "entry", iv_buf_slice(&entry));
    if (leaf->document.p != NULL) {
        write_hashes(&j, "proof", leaf->proof.hashes, leaf->proof.count);
        iv_json_str(&j, "document", leaf->document);
    }
    iv_json_close_object(&j);
    iv_buf_char(out, '\n');
    iv_buf_inherit(out, &entry);
    iv_buf_deinit(&entry);
}

void iv_bundle_write_end(struct iv_buf *out, const struct iv_bundle_end *end)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    write_hash(&j, "end", &end->digest);
    iv_json_int(&j, "lines", (int64_t)end->lines);
    iv_json_close_object(&j);
    iv_buf_char(out, '\n');
}

static bool is_hash(struct iv_merkle_hash *out, const struct iv_val *v)
{
    return v->kind == IV_KIND_STRING && iv_hex_decode(out->bytes, sizeof out->bytes, iv_val_slice(*v));
}

static iv_rc read_hash(struct iv_merkle_hash *out, const struct iv_val *line, const char *name,
                       struct iv_err *err)
{
    const struct iv_val *v = iv_told_at(line, name);
    ENSURE(v != NULL && is_hash(out, v), err, IV_E_MALFORMED, "%s: must be %d hex digits", name,
           2 * IV_MERKLE_BYTES);
    return IV_OK;
}

static iv_rc read_hashes(struct iv_merkle_hash *out, unsigned *count, unsigned most,
                         const struct iv_val *line, const char *name, struct iv_err *err)
{
    const struct iv_val *list = iv_told_at(line, name);
    ENSURE(list != NULL && list->kind == IV_KIND_LIST && list->n <= most, err, IV_E_MALFORMED,
           "%s: must be a list of at most %u hashes", name, most);
    for (uint32_t i = 0; i < list->n; i++) {
        ENSURE(is_hash(&out[i], &list->items[i]), err, IV_E_MALFORMED, "%s[%u]: must be %d hex digits", name,
               i, 2 * IV_MERKLE_BYTES);
    }
    *count = list->n;
    return IV_OK;
}

static iv_rc read_count(uint64_t *out, const struct iv_val *line, const char *name, struct iv_err *err)
{
    int64_t value = 0;
    TRY(iv_told_int(&value, line, name, 0, INT64_MAX, err));
    *out = (uint64_t)value;
    return IV_OK;
}

/* p NULL: it is not there. */
static iv_rc read_optional(struct iv_str *out, const struct iv_val *line, const char *name,
                           struct iv_err *err)
{
    *out = (struct iv_str){NULL, 0};
    return iv_told_at(line, name) == NULL ? IV_OK : iv_told_text(out, line, name, err);
}

iv_rc iv_bundle_read_head(struct iv_bundle_head *out, const struct iv_val *line, struct iv_err *err)
{
    struct iv_str form;
    unsigned peaks = 0;
    *out = (struct iv_bundle_head){.size = 0};
    TRY(iv_told_text(&form, line, "bundle", err));
    ENSURE(iv_str_eq(form, IV_STR(IV_BUNDLE_FORM)), err, IV_E_MALFORMED, "bundle: must be '%s'",
           IV_BUNDLE_FORM);
    TRY(iv_told_text(&out->program, line, "program", err));
    TRY(iv_told_time(&out->from, line, "from", err));
    TRY(iv_told_time(&out->until, line, "until", err));
    TRY(read_count(&out->size, line, "size", err));
    TRY(read_hash(&out->root, line, "root", err));
    TRY(read_count(&out->first, line, "first", err));
    TRY(read_hashes(out->before.peaks, &peaks, IV_MERKLE_PEAKS, line, "before", err));
    ENSURE(peaks == (unsigned)__builtin_popcountll(out->first) && out->first <= out->size, err,
           IV_E_MALFORMED, "before: is not the tree in front of leaf 'first'");
    out->before.size = out->first;
    TRY(read_optional(&out->checkpoint, line, "checkpoint", err));
    TRY(read_optional(&out->since, line, "since", err));
    return out->since.p == NULL
               ? IV_OK
               : read_hashes(out->growth.hashes, &out->growth.count, IV_MERKLE_PROOF, line, "growth", err);
}

iv_rc iv_bundle_read_leaf(struct iv_bundle_leaf *out, const struct iv_val *line, struct iv_err *err)
{
    out->document = (struct iv_str){NULL, 0};
    out->proof.count = 0;
    TRY(read_count(&out->leaf, line, "leaf", err));
    const struct iv_val *entry = iv_told_at(line, "entry");
    ENSURE(entry != NULL && entry->kind == IV_KIND_MAP, err, IV_E_MALFORMED, "entry: must be an object");
    TRY(iv_leaf_read(&out->entry, entry, err));
    TRY(read_optional(&out->document, line, "document", err));
    return out->document.p == NULL
               ? IV_OK
               : read_hashes(out->proof.hashes, &out->proof.count, IV_MERKLE_PROOF, line, "proof", err);
}

iv_rc iv_bundle_read_end(struct iv_bundle_end *out, const struct iv_val *line, struct iv_err *err)
{
    TRY(read_hash(&out->digest, line, "end", err));
    return read_count(&out->lines, line, "lines", err);
}

bool iv_bundle_has(const struct iv_leaf *entry, iv_ns from, iv_ns until)
{
    if (entry->kind == IV_LEAF_BASELINE || entry->kind == IV_LEAF_COVERAGE) {
        return true;
    }
    iv_ns time = entry->kind == IV_LEAF_FINDING ? entry->event_time : entry->time;
    return from <= time && time < until;
}
