/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "cel/env.h"

#define BASIC(name, k) const struct iv_cel_type iv_cel_##name = {.kind = IV_CEL_##k}
BASIC(dyn, DYN);
BASIC(null, NULL);
BASIC(bool, BOOL);
BASIC(int, INT);
BASIC(uint, UINT);
BASIC(double, DOUBLE);
BASIC(string, STRING);
BASIC(bytes, BYTES);
BASIC(timestamp, TIMESTAMP);
BASIC(duration, DURATION);
#undef BASIC

static const struct iv_cel_type list_of_dyn = {.kind = IV_CEL_LIST, .args = {&iv_cel_dyn}};
static const struct iv_cel_type map_of_dyn = {.kind = IV_CEL_MAP, .args = {&iv_cel_dyn, &iv_cel_dyn}};
static const struct iv_cel_type type_of_dyn = {.kind = IV_CEL_TYPE, .args = {&iv_cel_dyn}};
static const struct iv_cel_type optional_of_dyn = {.kind = IV_CEL_OPTIONAL, .args = {&iv_cel_dyn}};
static const struct iv_cel_type net_ip = {.kind = IV_CEL_OPAQUE, .name = "net.IP"};
static const struct iv_cel_type net_cidr = {.kind = IV_CEL_OPAQUE, .name = "net.CIDR"};

/* By enum iv_kind, which is also what type() answers. */
static const struct {
    struct iv_str name;
    const struct iv_cel_type *type;
} named[] = {
    [IV_KIND_ABSENT] = {IV_STR_INIT("error"), NULL},
    [IV_KIND_NULL] = {IV_STR_INIT("null_type"), &iv_cel_null},
    [IV_KIND_BOOL] = {IV_STR_INIT("bool"), &iv_cel_bool},
    [IV_KIND_INT] = {IV_STR_INIT("int"), &iv_cel_int},
    [IV_KIND_UINT] = {IV_STR_INIT("uint"), &iv_cel_uint},
    [IV_KIND_DOUBLE] = {IV_STR_INIT("double"), &iv_cel_double},
    [IV_KIND_STRING] = {IV_STR_INIT("string"), &iv_cel_string},
    [IV_KIND_BYTES] = {IV_STR_INIT("bytes"), &iv_cel_bytes},
    [IV_KIND_TIMESTAMP] = {IV_STR_INIT("google.protobuf.Timestamp"), &iv_cel_timestamp},
    [IV_KIND_DURATION] = {IV_STR_INIT("google.protobuf.Duration"), &iv_cel_duration},
    [IV_KIND_LIST] = {IV_STR_INIT("list"), &list_of_dyn},
    [IV_KIND_MAP] = {IV_STR_INIT("map"), &map_of_dyn},
    [IV_KIND_OBJECT] = {IV_STR_INIT("event"), NULL},
    [IV_KIND_TYPE] = {IV_STR_INIT("type"), &type_of_dyn},
    [IV_KIND_OPTIONAL] = {IV_STR_INIT("optional_type"), &optional_of_dyn},
    [IV_KIND_OPAQUE] = {IV_STR_INIT("net.IP"), &net_ip},
    [IV_KIND_OPAQUE + 1] = {IV_STR_INIT("net.CIDR"), &net_cidr},
};

const struct iv_cel_type *iv_cel_type_named(struct iv_str name)
{
    for (size_t i = 0; i < IV_COUNT(named); i++) {
        if (named[i].type != NULL && iv_str_eq(named[i].name, name)) {
            return named[i].type;
        }
    }
    return NULL;
}

const struct iv_cel_type *iv_cel_type_of_scalar(const struct iv_val *v)
{
    return v->kind >= IV_KIND_BOOL && v->kind <= IV_KIND_DURATION ? named[v->kind].type : &iv_cel_dyn;
}

struct iv_str iv_cel_kind_name(const struct iv_val *v)
{
    return named[v->kind == IV_KIND_OPAQUE ? v->kind + (v->aux & 1) : v->kind].name;
}

static const char *plain_name(enum iv_cel_tkind kind)
{
    static const char *const names[] = {
        [IV_CEL_DYN] = "dyn",           [IV_CEL_NULL] = "null",     [IV_CEL_BOOL] = "bool",
        [IV_CEL_INT] = "int",           [IV_CEL_UINT] = "uint",     [IV_CEL_DOUBLE] = "double",
        [IV_CEL_STRING] = "string",     [IV_CEL_BYTES] = "bytes",   [IV_CEL_TIMESTAMP] = "timestamp",
        [IV_CEL_DURATION] = "duration", [IV_CEL_LIST] = "list",     [IV_CEL_MAP] = "map",
        [IV_CEL_OBJECT] = "object",     [IV_CEL_TYPE] = "type",     [IV_CEL_OPTIONAL] = "optional_type",
        [IV_CEL_PARAM] = "dyn",         [IV_CEL_OPAQUE] = "opaque", [IV_CEL_ERROR] = "error",
    };
    return names[kind];
}

void iv_cel_type_format(struct iv_buf *out, const struct iv_cel_type *type)
{
    if (type->kind == IV_CEL_OBJECT) {
        iv_buf_str(out, type->schema->name);
        return;
    }
    iv_buf_text(out, type->kind == IV_CEL_OPAQUE ? type->name : plain_name(type->kind));
    for (size_t i = 0; i < IV_COUNT(type->args) && type->args[i] != NULL; i++) {
        iv_buf_text(out, i == 0 ? "(" : ", ");
        iv_cel_type_format(out, type->args[i]);
    }
    iv_buf_text(out, type->args[0] != NULL ? ")" : "");
}
