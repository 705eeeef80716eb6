/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a snapshot: numbers, texts, values and sections (snapshot.h has the form).
 * Owner/thread: no state beyond what the caller holds.
 * Guarantee: reading never leaves the bytes; where they do not fit, what is read is zero or empty from then
 * on and `bad` is set, so one question at the end of a section is enough. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/value.h"
#include "event/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

void iv_image_uint(struct iv_buf *out, uint64_t n);
void iv_image_int(struct iv_buf *out, int64_t n);
void iv_image_u64(struct iv_buf *out, uint64_t n); /* 8 bytes */
void iv_image_put_u64(char *at, uint64_t n);       /* the same at a place that is there */
void iv_image_str(struct iv_buf *out, struct iv_str s);
void iv_image_hash(struct iv_buf *out, struct iv_hash128 hash);
/* What does not occur in events is written as absent. */
void iv_image_value(struct iv_buf *out, const struct iv_val *value);

/* Begins a section; the answer is for the end. */
size_t iv_image_open(struct iv_buf *out, const char name[4]);
void iv_image_close(struct iv_buf *out, size_t section);

struct iv_image {
    const unsigned char *at;
    const unsigned char *end;
    bool bad;
};

uint64_t iv_image_get_uint(struct iv_image *in);
int64_t iv_image_get_int(struct iv_image *in);
uint64_t iv_image_get_u64(struct iv_image *in);
unsigned char iv_image_get_byte(struct iv_image *in);
struct iv_str iv_image_get_str(struct iv_image *in); /* UTF-8 */
struct iv_hash128 iv_image_get_hash(struct iv_image *in);
/* Zeroed where they do not suffice. */
void iv_image_get_bytes(struct iv_image *in, unsigned char *out, size_t n);
/* A number not above most. */
uint64_t iv_image_get_below(struct iv_image *in, uint64_t most);
/* How many items follow, of which each takes at least a byte. */
size_t iv_image_get_count(struct iv_image *in);
/* Lists and maps are built in the arena; text is in the bytes. False when memory is out. */
bool iv_image_get_value(struct iv_image *in, struct iv_arena *arena, struct iv_val *out);
/* Whether a value can be a field's of this type: programs are compiled for it and do not ask again. */
bool iv_image_fits(enum iv_ftype type, const struct iv_val *value);
/* The section of this name, which must be the next one. */
struct iv_image iv_image_get_section(struct iv_image *in, const char name[4]);
/* Nothing is left, nothing was amiss. */
bool iv_image_done(const struct iv_image *in);
