/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/share.h"

#include "base/hash.h"

uint32_t iv_share_of(struct iv_str key, uint32_t count)
{
    static const struct iv_hash_key known_to_all = {UINT64_C(0x6c69676976), UINT64_C(0x6572616873)};
    return (uint32_t)(iv_hash64(known_to_all, key) % count);
}
