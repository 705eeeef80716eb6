/* SPDX-License-Identifier: Apache-2.0 */
/* Syslog over UDP, TCP and TLS. TCP and TLS are connections of libcurl, which knows certificates, time-outs
 * and names; it is told to connect only. Source: RFC 5424, RFC 5425, RFC 5426, RFC 6587. */
#include "base/alloc.h"
#include "base/guard.h"
#include "respond/alert/sink.h"
#include "respond/alert/syslog/line.h"
#include "respond/alert/syslog/stream.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_MAX_BYTES (1u << 20)
#define DATAGRAM_MAX_BYTES (32u << 10)
#define HOST_MAX_BYTES 255
#define FACILITY_AUDIT 13
#define ENTERPRISE_OF_EXAMPLES 32473

enum { ADDRESS, TRANSPORT, CA_FILE, CERTIFICATE, KEY, FACILITY, ENTERPRISE };
enum { UDP, TCP, TLS };
static const char *const transports[] = {"udp", "tcp", "tls"};

static const struct iv_setting settings[] = {
    {.name = "address", .form = IV_SETTING_TEXT, .required = true, .doc = "HOST:PORT, or [HOST]:PORT."},
    {.name = "transport",
     .form = IV_SETTING_CHOICE,
     .choices = transports,
     .choice_count = IV_COUNT(transports),
     .doc = "How it goes there."},
    {.name = "ca_file", .form = IV_SETTING_FILE, .doc = "PEM, trusted for this sink alone."},
    {.name = "certificate", .form = IV_SETTING_FILE, .doc = "PEM, of a TLS client; goes with key."},
    {.name = "key", .form = IV_SETTING_FILE, .doc = "PEM, of a TLS client; goes with certificate."},
    {.name = "facility",
     .form = IV_SETTING_NUMBER,
     .number = FACILITY_AUDIT,
     .max = 23,
     .doc = "Syslog's number of it."},
    {.name = "enterprise",
     .form = IV_SETTING_NUMBER,
     .number = ENTERPRISE_OF_EXAMPLES,
     .max = INT32_MAX,
     .doc = "Your private enterprise number, behind the @ of the structured data's name."},
};

struct syslog {
    struct iv_sink_tools tools;
    struct iv_syslog_sender sender;
    struct iv_syslog_stream *stream; /* NULL: UDP */
    struct iv_buf bytes;
    char host[HOST_MAX_BYTES + 1];
};

static iv_rc check(const struct iv_alert_sink *sink, struct iv_err *err)
{
    const struct iv_setting_value *v = sink->values;
    struct iv_str address = v[ADDRESS].text;
    const char *colon = memrchr(address.p, ':', address.n);
    bool whole = colon != NULL && colon > address.p && colon + 1 < address.p + address.n;
    for (size_t i = 0; whole && i < address.n; i++) {
        whole = address.p[i] > 0x20 && address.p[i] < 0x7f && strchr("/@?#\\", address.p[i]) == NULL;
    }
    ENSURE(whole, err, IV_E_REFUSED, "the address of sink '" IV_STR_FMT "' must be HOST:PORT",
           IV_STR_ARG(sink->name));
    ENSURE((v[CERTIFICATE].text.p == NULL) == (v[KEY].text.p == NULL), err, IV_E_REFUSED,
           "certificate and key of sink '" IV_STR_FMT "' go together", IV_STR_ARG(sink->name));
    ENSURE(v[TRANSPORT].choice == TLS || (v[CA_FILE].text.p == NULL && v[KEY].text.p == NULL), err,
           IV_E_REFUSED, "ca_file, certificate and key of sink '" IV_STR_FMT "' are for transport tls",
           IV_STR_ARG(sink->name));
    return IV_OK;
}

static void close_syslog(void *driver)
{
    struct syslog *s = driver;
    if (s != NULL) {
        iv_syslog_stream_free(s->stream);
        iv_buf_deinit(&s->bytes);
        iv_free(s);
    }
}

static void close_syslogp(struct syslog **s)
{
    close_syslog(*s);
}

/* What a message is said to come from; a name that does not fit the format is none. */
static void find_host(struct syslog *s)
{
    bool fits = gethostname(s->host, HOST_MAX_BYTES) == 0 && s->host[0] != '\0';
    for (size_t i = 0; fits && s->host[i] != '\0'; i++) {
        fits = s->host[i] > 0x20 && s->host[i] < 0x7f;
    }
    s->sender.host = fits ? iv_str_of(s->host) : IV_STR("-");
}

static iv_rc open_syslog(void **driver, const struct iv_sink_tools *tools, struct iv_err *err)
{
    const struct iv_setting_value *v = tools->sink->values;
    IV_AUTO(close_syslogp) struct syslog *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate a sink");
    s->tools = *tools;
    s->sender.facility = v[FACILITY].number;
    s->sender.enterprise = v[ENTERPRISE].number;
    s->sender.process = (long)getpid();
    find_host(s);
    iv_buf_init(&s->bytes, BATCH_MAX_BYTES);
    if (v[TRANSPORT].choice != UDP) {
        const struct iv_syslog_stream_options options = {.wire = tools->wire,
                                                         .address = v[ADDRESS].text,
                                                         .tls = v[TRANSPORT].choice == TLS,
                                                         .ca_file = v[CA_FILE].text,
                                                         .certificate = v[CERTIFICATE].text,
                                                         .key = v[KEY].text};
        TRY(iv_syslog_stream_new(&s->stream, &options, err));
    }
    *driver = TAKE(s);
    return IV_OK;
}

/* A datagram and a socket for each: of one that nobody took nothing is ever heard. */
static void send_datagram(struct iv_delivery *out, const struct addrinfo *to, struct iv_str name,
                          struct iv_str bytes)
{
    int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t sent = -1;
    if (fd >= 0) {
        sent = connect(fd, to->ai_addr, to->ai_addrlen) == 0 ? send(fd, bytes.p, bytes.n, MSG_NOSIGNAL) : -1;
    }
    if (sent != (ssize_t)bytes.n) {
        char why[128];
        iv_delivery_again(out, "sink '" IV_STR_FMT "' was not reached: %s", IV_STR_ARG(name),
                          strerror_r(errno, why, sizeof why));
    } else {
        out->kind = IV_DELIVERY_TOLD;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static bool split_address(char host[HOST_MAX_BYTES + 1], char port[8], struct iv_str address)
{
    const char *colon = memrchr(address.p, ':', address.n);
    struct iv_str name = {address.p, (size_t)(colon - address.p)};
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']') {
        name = (struct iv_str){name.p + 1, name.n - 2};
    }
    int n = snprintf(port, 8, "%.*s", (int)(address.p + address.n - colon - 1), colon + 1);
    int m = snprintf(host, HOST_MAX_BYTES + 1, IV_STR_FMT, IV_STR_ARG(name));
    return n > 0 && n < 8 && m > 0 && m <= HOST_MAX_BYTES;
}

static iv_rc deliver_datagrams(struct syslog *s, struct iv_delivery *out, const struct iv_notice *notices,
                               size_t count, struct iv_err *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    struct iv_str name = s->tools.sink->name;
    struct addrinfo *found = NULL;
    char host[HOST_MAX_BYTES + 1];
    char port[8];
    int code = split_address(host, port, s->tools.sink->values[ADDRESS].text)
                   ? getaddrinfo(host, port, &hints, &found)
                   : EAI_NONAME;
    if (code != 0) {
        iv_delivery_again(out, "sink '" IV_STR_FMT "' is not found: %s", IV_STR_ARG(name),
                          gai_strerror(code));
        return IV_OK;
    }
    struct iv_rc_s rc = IV_OK;
    out->kind = IV_DELIVERY_TOLD;
    for (size_t i = 0; i < count && iv_ok(rc) && out->kind == IV_DELIVERY_TOLD; i++) {
        iv_buf_clear(&s->bytes);
        iv_syslog_write(&s->bytes, &s->sender, &notices[i], s->tools.link, false);
        rc = iv_buf_check(&s->bytes, "a syslog message", err);
        if (iv_ok(rc)) {
            struct iv_str bytes = iv_buf_slice(&s->bytes);
            bytes.n = bytes.n < DATAGRAM_MAX_BYTES ? bytes.n : DATAGRAM_MAX_BYTES;
            send_datagram(out, found, name, bytes);
        }
    }
    freeaddrinfo(found);
    return rc;
}

static iv_rc deliver(void *driver, struct iv_delivery *out, const struct iv_notice *notices, size_t count,
                     struct iv_err *err)
{
    struct syslog *s = driver;
    *out = (struct iv_delivery){.kind = IV_DELIVERY_AGAIN};
    if (s->stream == NULL) {
        return deliver_datagrams(s, out, notices, count, err);
    }
    char why[192] = "";
    iv_buf_clear(&s->bytes);
    for (size_t i = 0; i < count; i++) {
        iv_syslog_write(&s->bytes, &s->sender, &notices[i], s->tools.link, true);
    }
    TRY(iv_buf_check(&s->bytes, "syslog messages", err));
    bool taken = false;
    TRY(iv_syslog_stream_send(s->stream, &taken, iv_buf_slice(&s->bytes), why, sizeof why, err));
    if (taken) {
        out->kind = IV_DELIVERY_TOLD;
    } else {
        iv_delivery_again(out, "sink '" IV_STR_FMT "' was not reached: %s", IV_STR_ARG(s->tools.sink->name),
                          why);
    }
    return IV_OK;
}

const struct iv_sink_kind iv_sink_syslog = {
    .name = "syslog",
    .doc = "Syslog messages (RFC 5424) over UDP, TCP or TLS.",
    .settings = settings,
    .setting_count = IV_COUNT(settings),
    .batch = 32,
    .check = check,
    .open = open_syslog,
    .close = close_syslog,
    .deliver = deliver,
};
