/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/input.h"

struct iv_input iv_input_begin(iv_ns now)
{
    return (struct iv_input){.lost = true, .at = now, .said = now - IV_INPUT_SAID_EVERY};
}

enum iv_input_word iv_input_look(struct iv_input *input, bool reachable, iv_ns now)
{
    if (reachable) {
        bool was_lost = input->lost;
        input->at = now;
        input->lost = false;
        input->said = now - IV_INPUT_SAID_EVERY;
        return was_lost ? IV_INPUT_BACK : IV_INPUT_NO_NEWS;
    }
    if (now - input->at < IV_INPUT_LOST_AFTER || now - input->said < IV_INPUT_SAID_EVERY) {
        return IV_INPUT_NO_NEWS;
    }
    input->lost = true;
    input->said = now;
    return IV_INPUT_LOST;
}
