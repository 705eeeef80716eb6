/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused, or are a packet whose events have what every event has.
 * Input: a packet's sections (assemble.h); the bytes as they are are tried, too. */
#include "assemble.h"
#include "target.h"

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
static const struct assembly whole = {
    .frame = &iv_packet_frame, .sections = sections, .section_count = IV_COUNT(sections)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct iv_err err;
    if (catalogue == NULL) {
        iv_arena_init(&arena, 0);
        iv_buf_init(&image, BYTES_MAX);
        IV_CHECK(iv_ok(iv_catalogue_new(&catalogue, &err)) && iv_ok(iv_catalogue_freeze(catalogue, &err)));
    }
    try_bytes(input_of(data, size));
    assemble(&image, input_of(data, size), &whole);
    try_bytes(iv_buf_slice(&image));
    return 0;
}
