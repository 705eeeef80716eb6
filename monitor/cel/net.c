/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/net.h"

#include "base/encode.h"

static bool decimal(unsigned *out, struct iv_str s, size_t *at, unsigned max)
{
    size_t start = *at;
    unsigned v = 0;
    for (; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9' && *at - start < 4; (*at)++) {
        v = v * 10 + (unsigned)(s.p[*at] - '0');
    }
    *out = v;
    return *at > start && v <= max && (*at - start == 1 || s.p[start] != '0');
}

static bool parse_v4(struct iv_net *out, struct iv_str s)
{
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned v = 0;
        if ((i > 0 && (at >= s.n || s.p[at++] != '.')) || !decimal(&v, s, &at, 255)) {
            return false;
        }
        out->address[i] = (unsigned char)v;
    }
    out->family = 4;
    out->prefix = 32;
    return at == s.n;
}

static bool parse_group(unsigned *out, struct iv_str s, size_t *at)
{
    size_t start = *at;
    unsigned v = 0;
    for (; *at < s.n && iv_hex_digit(s.p[*at]) >= 0; (*at)++) {
        v = v << 4 | (unsigned)iv_hex_digit(s.p[*at]);
        if (*at - start == 4) {
            return false;
        }
    }
    *out = v;
    return *at > start;
}

static void put_group(struct iv_net *net, size_t index, unsigned v)
{
    net->address[2 * index] = (unsigned char)(v >> 8);
    net->address[2 * index + 1] = (unsigned char)v;
}

/* Up to eight groups; "::" stands once for those that are missing, at least one. */
static bool parse_v6(struct iv_net *out, struct iv_str s)
{
    unsigned groups[8];
    size_t count = 0;
    size_t gap = 9;
    size_t at = 0;
    if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < s.n) {
        if (count == 8 || !parse_group(&groups[count++], s, &at)) {
            return false;
        }
        if (at == s.n) {
            break;
        }
        if (s.p[at++] != ':' || at == s.n) {
            return false;
        }
        if (s.p[at] == ':') {
            if (gap != 9) {
                return false;
            }
            gap = count;
            at++;
        }
    }
    if (gap == 9 ? count != 8 : count > 7) {
        return false;
    }
    size_t missing = 8 - count;
    for (size_t i = 0; i < 8; i++) {
        bool in_gap = gap != 9 && i >= gap && i < gap + missing;
        put_group(out, i, in_gap ? 0 : groups[gap != 9 && i >= gap + missing ? i - missing : i]);
    }
    out->family = 6;
    out->prefix = 128;
    return true;
}

/* ::ffff:0:0/96, the addresses of IPv4 inside of IPv6 (RFC 4291 2.5.5.2). */
static bool is_mapped(const struct iv_net *net)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};
    return net->family == 6 && memcmp(net->address, prefix, sizeof prefix) == 0;
}

bool iv_net_parse_ip(struct iv_net *out, struct iv_str text)
{
    struct iv_net net = {.family = 0};
    if (!parse_v4(&net, text) && !parse_v6(&net, text)) {
        return false;
    }
    if (is_mapped(&net)) {
        struct iv_net v4 = {.family = 4, .prefix = 32};
        memcpy(v4.address, net.address + 12, 4);
        net = v4;
    }
    *out = net;
    return true;
}

bool iv_net_parse_cidr(struct iv_net *out, struct iv_str text)
{
    const char *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
    if (slash == NULL) {
        return false;
    }
    struct iv_net net = {.family = 0};
    struct iv_str address = {text.p, (size_t)(slash - text.p)};
    unsigned bits = 0;
    size_t at = address.n + 1;
    if ((!parse_v4(&net, address) && !parse_v6(&net, address)) || is_mapped(&net) ||
        !decimal(&bits, text, &at, net.family == 4 ? 32 : 128) || at != text.n) {
        return false;
    }
    net.prefix = (unsigned char)bits;
    *out = net;
    return true;
}

static unsigned group_of(const struct iv_net *net, size_t index)
{
    return (unsigned)net->address[2 * index] << 8 | net->address[2 * index + 1];
}

/*= RFC 5952 4.2 "The use of the symbol "::" must be used to its maximum capability" */
static void format_v6(struct iv_buf *out, const struct iv_net *net)
{
    size_t gap = 8;
    size_t gap_length = 1; /* a single group of zeros is not shortened */
    for (size_t i = 0; i < 8; i++) {
        size_t n = 0;
        while (i + n < 8 && group_of(net, i + n) == 0) {
            n++;
        }
        if (n > gap_length) {
            gap = i;
            gap_length = n;
        }
    }
    for (size_t i = 0; i < 8; i++) {
        if (i == gap) {
            iv_buf_text(out, "::");
            i += gap_length - 1;
            continue;
        }
        iv_buf_text(out, i > 0 && i != gap + gap_length ? ":" : "");
        iv_buf_printf(out, "%x", group_of(net, i));
    }
}

void iv_net_format(struct iv_buf *out, const struct iv_net *net, bool with_prefix)
{
    if (net->family == 4) {
        iv_buf_printf(out, "%d.%d.%d.%d", net->address[0], net->address[1], net->address[2], net->address[3]);
    } else {
        format_v6(out, net);
    }
    if (with_prefix) {
        iv_buf_printf(out, "/%d", net->prefix);
    }
}

void iv_net_mask(struct iv_net *net)
{
    for (size_t i = 0; i < sizeof net->address; i++) {
        size_t kept = net->prefix <= 8 * i ? 0 : net->prefix - 8 * i;
        if (kept < 8) {
            net->address[i] &= (unsigned char)(0xff00 >> kept);
        }
    }
}

bool iv_net_contains(const struct iv_net *net, const struct iv_net *inner)
{
    if (net->family != inner->family || inner->prefix < net->prefix) {
        return false;
    }
    struct iv_net a = *net;
    struct iv_net b = *inner;
    b.prefix = a.prefix;
    iv_net_mask(&a);
    iv_net_mask(&b);
    return memcmp(a.address, b.address, sizeof a.address) == 0;
}
