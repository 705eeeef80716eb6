/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/data.h"
#include "app/sim/chance.h"

typedef void (*data_fn)(struct iv_json *j, struct iv_sim_world *world, const struct iv_sim_step *step);

static const data_fn writers[IV_STEPS] = {
#define STEP(id, stream, type) iv_sim_write_##id,
#include "app/sim/steps.def"
#undef STEP
};

void iv_sim_write_data(struct iv_buf *out, struct iv_sim_world *world, const struct iv_sim_step *step)
{
    struct iv_json j = iv_json_to(out);
    iv_json_open_object(&j, NULL);
    writers[step->kind](&j, world, step);
    iv_json_close_object(&j);
}

static void member(struct iv_json *j, const char *name, const char *text, size_t n)
{
    iv_json_raw(j, name, IV_STR("\""));
    iv_buf_add(j->out, text, n);
    iv_buf_char(j->out, '"');
}

void iv_sim_member(struct iv_json *j, const char *name, const struct iv_sim_name *value)
{
    member(j, name, value->text, value->n);
}

void iv_sim_member_id(struct iv_json *j, const char *name, const char *prefix, uint64_t number)
{
    struct iv_sim_name id = iv_sim_id(prefix, number);
    iv_sim_member(j, name, &id);
}

void iv_sim_member_digest(struct iv_json *j, const char *name, enum iv_sim_digest of, uint64_t number,
                          unsigned digits)
{
    char text[96];
    iv_sim_hex(text, number ^ (uint64_t)of << 56, digits);
    member(j, name, text, digits);
}
