/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks as values. Source: the CEL extension "network". */
#include "cel/lib.h"
#include "cel/net.h"

#define NET_TEXT_MAX 64

static iv_rc make(struct iv_val *out, const struct iv_net *net, uint8_t aux, struct iv_cel_frame *frame,
                  struct iv_err *err)
{
    struct iv_net *copy = NULL;
    TRY(iv_cel_alloc(&copy, frame, sizeof *copy, err));
    *copy = *net;
    *out = (struct iv_val){.kind = IV_KIND_OPAQUE, .aux = aux, .n = sizeof *copy, .opaque = copy};
    return IV_OK;
}

/* The kind OPAQUE has two types, so each function says which one it is about. */
static iv_rc take(const struct iv_net **out, const struct iv_val *v, uint8_t aux, struct iv_err *err)
{
    if (v->kind != IV_KIND_OPAQUE || v->aux != aux) {
        return iv_cel_fail_overload(aux == IV_NET_IP ? "a function of net.IP" : "a function of net.CIDR", v,
                                    1, err);
    }
    *out = v->opaque;
    return IV_OK;
}

static iv_rc parse(struct iv_net *out, const struct iv_val *text, uint8_t aux, struct iv_err *err)
{
    bool good = aux == IV_NET_IP ? iv_net_parse_ip(out, iv_val_slice(*text))
                                 : iv_net_parse_cidr(out, iv_val_slice(*text));
    ENSURE(good, err, IV_E_EVAL, "'" IV_STR_FMT "' is no %s", IV_STR_ARG(iv_cel_brief(iv_val_slice(*text))),
           aux == IV_NET_IP ? "IP address" : "network in CIDR form");
    return IV_OK;
}

IV_CEL_FN(iv_cel_ip)
{
    struct iv_net net;
    TRY(parse(&net, args, IV_NET_IP, err));
    return make(out, &net, IV_NET_IP, frame, err);
}

IV_CEL_FN(iv_cel_cidr)
{
    struct iv_net net;
    TRY(parse(&net, args, IV_NET_CIDR, err));
    return make(out, &net, IV_NET_CIDR, frame, err);
}

IV_CEL_FN(iv_cel_is_ip)
{
    struct iv_net net;
    *out = iv_val_bool(iv_ok(parse(&net, args, IV_NET_IP, NULL)));
    return IV_OK;
}

IV_CEL_FN(iv_cel_is_cidr)
{
    struct iv_net net;
    *out = iv_val_bool(iv_ok(parse(&net, args, IV_NET_CIDR, NULL)));
    return IV_OK;
}

/* Over memory of its own, so that it never grows. */
static struct iv_buf text_of(char piece[NET_TEXT_MAX], const struct iv_net *net, bool with_prefix)
{
    struct iv_buf buf = {.p = piece, .capacity = NET_TEXT_MAX, .max = NET_TEXT_MAX - 1};
    iv_net_format(&buf, net, with_prefix);
    return buf;
}

IV_CEL_FN(iv_cel_ip_is_canonical)
{
    struct iv_net net;
    char piece[NET_TEXT_MAX];
    TRY(parse(&net, args, IV_NET_IP, err));
    struct iv_buf buf = text_of(piece, &net, false);
    *out = iv_val_bool(iv_str_eq(iv_buf_slice(&buf), iv_val_slice(args[0])));
    return IV_OK;
}

IV_CEL_FN(iv_cel_net_to_string)
{
    char piece[NET_TEXT_MAX];
    struct iv_cel_text text;
    struct iv_buf buf = text_of(piece, args[0].opaque, args[0].aux == IV_NET_CIDR);
    iv_cel_text_begin(&text, frame, buf.n);
    iv_cel_text_add(&text, iv_buf_slice(&buf));
    return iv_cel_text_end(out, &text, err);
}

IV_CEL_FN(iv_cel_ip_family)
{
    const struct iv_net *net = NULL;
    TRY(take(&net, args, IV_NET_IP, err));
    *out = iv_val_int(net->family);
    return IV_OK;
}

/* Whether the address lies in one of two networks, the one of its own family. */
static iv_rc lies_in(struct iv_val *out, const struct iv_val *arg, const char *v4, const char *v6,
                     struct iv_err *err)
{
    const struct iv_net *net = NULL;
    struct iv_net range = {.family = 0};
    TRY(take(&net, arg, IV_NET_IP, err));
    IV_CHECK(iv_net_parse_cidr(&range, iv_str_of(net->family == 4 ? v4 : v6)));
    *out = iv_val_bool(iv_net_contains(&range, net));
    return IV_OK;
}

IV_CEL_FN(iv_cel_ip_is_unspecified)
{
    return lies_in(out, args, "0.0.0.0/32", "::/128", err);
}

IV_CEL_FN(iv_cel_ip_is_loopback)
{
    return lies_in(out, args, "127.0.0.0/8", "::1/128", err);
}

IV_CEL_FN(iv_cel_ip_is_link_local_multicast)
{
    return lies_in(out, args, "224.0.0.0/24", "ff02::/16", err);
}

IV_CEL_FN(iv_cel_ip_is_link_local_unicast)
{
    return lies_in(out, args, "169.254.0.0/16", "fe80::/10", err);
}

/* All but broadcast, unspecified, loopback, multicast and link-local addresses; private ones are. */
IV_CEL_FN(iv_cel_ip_is_global_unicast)
{
    static const char *const others[][2] = {{"255.255.255.255/32", "::/128"},
                                            {"0.0.0.0/32", "::/128"},
                                            {"127.0.0.0/8", "::1/128"},
                                            {"224.0.0.0/4", "ff00::/8"},
                                            {"169.254.0.0/16", "fe80::/10"}};
    bool global = true;
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        struct iv_val inside;
        TRY(lies_in(&inside, args, others[i][0], others[i][1], err));
        global = global && !inside.b;
    }
    *out = iv_val_bool(global);
    return IV_OK;
}

static iv_rc contains(struct iv_val *out, const struct iv_val *args, uint8_t aux, struct iv_err *err)
{
    const struct iv_net *net = NULL;
    const struct iv_net *inner = NULL;
    struct iv_net parsed;
    TRY(take(&net, &args[0], IV_NET_CIDR, err));
    if (args[1].kind == IV_KIND_OPAQUE) {
        inner = args[1].opaque;
    } else {
        TRY(parse(&parsed, &args[1], aux, err));
        inner = &parsed;
    }
    *out = iv_val_bool(iv_net_contains(net, inner));
    return IV_OK;
}

IV_CEL_FN(iv_cel_cidr_contains_net)
{
    return contains(out, args, IV_NET_IP, err);
}

IV_CEL_FN(iv_cel_cidr_contains_cidr)
{
    return contains(out, args, IV_NET_CIDR, err);
}

IV_CEL_FN(iv_cel_cidr_ip)
{
    const struct iv_net *net = NULL;
    TRY(take(&net, args, IV_NET_CIDR, err));
    struct iv_net address = *net;
    address.prefix = net->family == 4 ? 32 : 128;
    return make(out, &address, IV_NET_IP, frame, err);
}

IV_CEL_FN(iv_cel_cidr_masked)
{
    const struct iv_net *net = NULL;
    TRY(take(&net, args, IV_NET_CIDR, err));
    struct iv_net masked = *net;
    iv_net_mask(&masked);
    return make(out, &masked, IV_NET_CIDR, frame, err);
}

IV_CEL_FN(iv_cel_cidr_prefix_length)
{
    const struct iv_net *net = NULL;
    TRY(take(&net, args, IV_NET_CIDR, err));
    *out = iv_val_int(net->prefix);
    return IV_OK;
}
