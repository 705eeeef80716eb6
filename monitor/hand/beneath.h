/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what lies below a folder, and nothing else, whatever the name says. Internal to hand/. */
#pragma once

#include "base/str.h"

/* By openat2: no "..", no absolute path, no links of any kind on the way, no other file system. The folder
 * itself is not below it. -1 with errno. */
int iv_open_beneath(struct iv_str folder, struct iv_str name, int flags);
