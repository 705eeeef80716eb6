/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/alert/wire.h"

#include "base/alloc.h"
#include "base/guard.h"

#define POLL_MS 1000

struct iv_wire {
    CURLM *multi;
    const atomic_bool *ended;
};

iv_rc iv_wire_new(struct iv_wire **out, const atomic_bool *ended, struct iv_err *err)
{
    IV_AUTO(iv_wire_freep) struct iv_wire *w = iv_calloc(1, sizeof *w);
    ENSURE(w != NULL, err, IV_E_NOMEM, "cannot allocate a sink's transfers");
    ENSURE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, err, IV_E_STATE, "libcurl does not start");
    w->ended = ended;
    w->multi = curl_multi_init();
    ENSURE(w->multi != NULL, err, IV_E_NOMEM, "cannot allocate a sink's transfers");
    *out = TAKE(w);
    return IV_OK;
}

void iv_wire_free(struct iv_wire *wire)
{
    if (wire != NULL) {
        (void)curl_multi_cleanup(wire->multi);
        iv_free(wire);
    }
}

void iv_wire_freep(struct iv_wire **wire)
{
    iv_wire_free(*wire);
}

static bool secure(CURL *e, struct iv_str ca_file, iv_ns timeout)
{
    bool ok = curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK;
    /* A name that is still being looked for when time is up is left to its thread, and not waited for. */
    ok = ok && curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(timeout / IV_NS_PER_MS)) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    ok = ok && curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    if (ok && ca_file.n > 0) {
        ok = curl_easy_setopt(e, CURLOPT_CAINFO, ca_file.p) == CURLE_OK &&
             curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK;
    }
    return ok;
}

iv_rc iv_wire_handle(CURL **out, struct iv_str ca_file, iv_ns timeout, struct iv_err *err)
{
    CURL *e = curl_easy_init();
    ENSURE(e != NULL, err, IV_E_NOMEM, "cannot allocate a transfer");
    if (!secure(e, ca_file, timeout)) {
        curl_easy_cleanup(e);
        return iv_err_set(err, IV_E_STATE, "libcurl refuses the settings of a transfer");
    }
    *out = e;
    return IV_OK;
}

void iv_wire_handle_freep(CURL **handle)
{
    curl_easy_cleanup(*handle);
}

static bool result_of(CURLM *multi, CURLcode *out)
{
    int left = 0;
    CURLMsg *m = curl_multi_info_read(multi, &left);
    if (m == NULL || m->msg != CURLMSG_DONE) {
        return false;
    }
    *out = m->data.result;
    return true;
}

CURLcode iv_wire_perform(struct iv_wire *wire, CURL *handle, bool stays_open)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 0;
    if (curl_multi_add_handle(wire->multi, handle) != CURLM_OK) {
        return CURLE_OUT_OF_MEMORY;
    }
    while (!atomic_load(wire->ended)) {
        if (curl_multi_perform(wire->multi, &running) != CURLM_OK) {
            code = CURLE_FAILED_INIT;
            break;
        }
        if (result_of(wire->multi, &code)) {
            break;
        }
        (void)curl_multi_poll(wire->multi, NULL, 0, POLL_MS, NULL);
    }
    if (!stays_open || code != CURLE_OK) {
        (void)curl_multi_remove_handle(wire->multi, handle);
    }
    return code;
}

void iv_wire_drop(struct iv_wire *wire, CURL *handle)
{
    (void)curl_multi_remove_handle(wire->multi, handle);
}

void iv_wire_wake(struct iv_wire *wire)
{
    (void)curl_multi_wakeup(wire->multi);
}
