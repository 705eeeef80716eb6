/* SPDX-License-Identifier: Apache-2.0 */
/* IP addresses and networks as text. Pure: no resolver, no system calls.
 * Source: RFC 4291 2.2 (text form of IPv6), RFC 5952 (its canonical form), RFC 4632 (prefixes). */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* struct iv_val.aux of the two opaque types; the value points to a struct iv_net. */
enum { IV_NET_IP, IV_NET_CIDR };

struct iv_net {
    unsigned char address[16]; /* IPv4: the first 4 */
    unsigned char family;      /* 4 or 6 */
    unsigned char prefix;      /* bits; of a single address all */
};

/* No zones ("%eth0"), no IPv4 in dotted form inside of IPv6, no leading zeros in IPv4. An
 * IPv4-mapped address in hexadecimal form is the IPv4 address; a network cannot be one. */
bool iv_net_parse_ip(struct iv_net *out, struct iv_str text);
bool iv_net_parse_cidr(struct iv_net *out, struct iv_str text);
void iv_net_format(struct iv_buf *out, const struct iv_net *net, bool with_prefix);
/* True when all of inner lies in net; false across families. */
bool iv_net_contains(const struct iv_net *net, const struct iv_net *inner);
/* Sets the bits behind the prefix to zero. */
void iv_net_mask(struct iv_net *net);
