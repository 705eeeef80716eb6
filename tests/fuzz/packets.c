/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused, or are a packet whose events have what every event has.
 * Input: a packet's sections, each its name and its content. Head, lengths and the sum are put in here, since
 * nothing would pass them by chance; the bytes as they are are tried, too. */
#include "target.h"

#include "base/hash.h"
#include "engine/image.h"
#include "engine/packet.h"
#include "engine/packet_form.h"

#define BYTES_MAX ((size_t)4 << 20)

static struct iv_catalogue *catalogue;
static struct iv_arena arena;
static struct iv_buf image;

static void try_bytes(struct iv_str bytes)
{
    struct iv_packet p;
    struct iv_err err;
    iv_arena_reset(&arena);
    struct iv_rc_s rc = iv_packet_read(&p, bytes, catalogue, &arena, &err);
    if (!iv_ok(rc)) {
        IV_CHECK(rc.code == IV_E_MALFORMED && err.text[0] != '\0');
        return;
    }
    IV_CHECK(p.head.share < p.head.shares);
    for (size_t i = 0; i < p.move_count; i++) {
        const struct iv_event *e = p.moves[i].event;
        IV_CHECK((e != NULL) == (p.moves[i].kind == IV_PACKET_EVENT) && p.moves[i].offset >= 0);
        IV_CHECK(e == NULL || (iv_event_attr(e, IV_ATTR_ID).n > 0 && iv_event_attr(e, IV_ATTR_SOURCE).n > 0 &&
                               e->origin.partition == p.head.source));
        for (uint8_t s = 0; e != NULL && s < e->type->field_count; s++) {
            IV_CHECK(iv_image_fits(e->type->fields[s].type, &e->slots[e->type->fields[s].slot]));
        }
    }
}

static const char *const sections[] = {IV_PACKET_SECTION_HEAD, IV_PACKET_SECTION_TYPES,
                                       IV_PACKET_SECTION_MOVES};

static void put_sections(struct iv_str input)
{
    for (size_t i = 0; i < IV_COUNT(sections); i++) {
        const char *at = input.n == 0 ? NULL : memmem(input.p, input.n, sections[i], 4);
        const char *end = input.p + input.n;
        const char *from = at == NULL ? end : at + 4;
        size_t left = (size_t)(end - from);
        const char *next =
            i + 1 == IV_COUNT(sections) || left == 0 ? NULL : memmem(from, left, sections[i + 1], 4);
        size_t n = next == NULL ? left : (size_t)(next - from);
        size_t section = iv_image_open(&image, sections[i]);
        iv_buf_add(&image, from, n);
        iv_image_close(&image, section);
        input = at == NULL ? input : (struct iv_str){from + n, left - n};
    }
}

/* The sections as a whole packet. */
static void assemble(struct iv_str input)
{
    const char version[4] = {IV_PACKET_VERSION, 0, 0, 0};
    iv_buf_clear(&image);
    iv_buf_text(&image, IV_PACKET_MAGIC);
    iv_buf_add(&image, version, sizeof version);
    iv_image_u64(&image, 0);
    put_sections(input);
    iv_image_put_u64(image.p + IV_PACKET_MAGIC_BYTES + sizeof version, image.n + IV_PACKET_SUM_BYTES);
    iv_image_hash(&image, iv_hash128((struct iv_hash_key){0, 0}, iv_buf_slice(&image)));
    IV_CHECK(!iv_buf_failed(&image));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_err err;
    if (catalogue == NULL) {
        iv_arena_init(&arena, 0);
        iv_buf_init(&image, BYTES_MAX);
        IV_CHECK(iv_ok(iv_catalogue_new(&catalogue, &err)) && iv_ok(iv_catalogue_freeze(catalogue, &err)));
    }
    try_bytes(input_of(data, size));
    assemble(input_of(data, size));
    try_bytes(iv_buf_slice(&image));
    return 0;
}
