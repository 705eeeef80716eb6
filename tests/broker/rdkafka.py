# SPDX-License-Identifier: Apache-2.0
"""Kafka for a test that writes and reads while it runs: the few calls of librdkafka that it takes, by ctypes. The monitor
links the same library, so it is there; starting one of Kafka's own tools takes seconds."""

import ctypes
import json

LIBRARY = ctypes.CDLL("librdkafka.so.1")
PRODUCER, CONSUMER = 0, 1
COPY, FROM_BEGINNING = 2, -2
PATIENCE_MS = 60000


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("rkt", ctypes.c_void_p), ("partition", ctypes.c_int32),
                ("payload", ctypes.c_void_p), ("len", ctypes.c_size_t), ("key", ctypes.c_void_p),
                ("key_len", ctypes.c_size_t), ("offset", ctypes.c_int64), ("private", ctypes.c_void_p)]


REPORT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Message), ctypes.c_void_p)


def declare(name, result, *arguments):
    function = getattr(LIBRARY, "rd_kafka_" + name)
    function.restype, function.argtypes = result, arguments
    return function


POINTER, TEXT, INT, SIZE = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
INT32, INT64 = ctypes.c_int32, ctypes.c_int64
conf_new = declare("conf_new", POINTER)
conf_set = declare("conf_set", INT, POINTER, TEXT, TEXT, TEXT, SIZE)
conf_set_dr_msg_cb = declare("conf_set_dr_msg_cb", None, POINTER, REPORT)
new = declare("new", POINTER, INT, POINTER, TEXT, SIZE)
destroy = declare("destroy", None, POINTER)
topic_new = declare("topic_new", POINTER, POINTER, TEXT, POINTER)
topic_destroy = declare("topic_destroy", None, POINTER)
produce = declare("produce", INT, POINTER, INT32, INT, POINTER, SIZE, POINTER, SIZE, POINTER)
poll = declare("poll", INT, POINTER, INT)
flush = declare("flush", INT, POINTER, INT)
err2str = declare("err2str", TEXT, INT)
last_error = declare("last_error", INT)
watermarks = declare("query_watermark_offsets", INT, POINTER, TEXT, INT32, ctypes.POINTER(INT64), ctypes.POINTER(INT64),
                     INT)
consume_start = declare("consume_start", INT, POINTER, INT32, INT64)
consume = declare("consume", ctypes.POINTER(Message), POINTER, INT32, INT)
consume_stop = declare("consume_stop", INT, POINTER, INT32)
message_destroy = declare("message_destroy", None, ctypes.POINTER(Message))


class Client:
    def __init__(self, kind, servers, report=None, **properties):
        text = ctypes.create_string_buffer(512)
        conf = conf_new()
        for name, value in {"bootstrap.servers": servers, "log_level": "0", **properties}.items():
            assert conf_set(conf, name.encode(), str(value).encode(), text, len(text)) == 0, text.value.decode()
        if report:
            conf_set_dr_msg_cb(conf, report)
        self.handle = new(kind, conf, text, len(text))
        assert self.handle, text.value.decode()
        self.topics = {}

    def topic(self, name):
        if name not in self.topics:
            self.topics[name] = topic_new(self.handle, name.encode(), None)
        return self.topics[name]

    def close(self):
        for topic in self.topics.values():
            topic_destroy(topic)
        destroy(self.handle)


class Producer(Client):
    """send(); flush() returns when all is acknowledged, and fails where something was not."""

    def __init__(self, servers):
        self.failures = []
        self.report = REPORT(lambda _rk, message, _opaque: self.reported(message.contents.err))
        super().__init__(PRODUCER, servers, self.report, **{"enable.idempotence": "true", "linger.ms": "1"})

    def reported(self, error):
        if error:
            self.failures.append(err2str(error).decode())

    def send(self, topic, partition, key, value):
        value, key = value.encode(), key.encode()
        while produce(self.topic(topic), partition, COPY, value, len(value), key, len(key), None) != 0:
            assert err2str(last_error()) == err2str(-184), err2str(last_error())  # the queue is full
            poll(self.handle, 100)
        poll(self.handle, 0)

    def flush(self):
        error = flush(self.handle, PATIENCE_MS)
        assert error == 0 and not self.failures, (err2str(error).decode(), self.failures[:3])


class Reader(Client):
    def __init__(self, servers):
        super().__init__(CONSUMER, servers, **{"check.crcs": "true"})

    def bounds(self, topic, partition):
        low, high = INT64(), INT64()
        error = watermarks(self.handle, topic.encode(), partition, low, high, PATIENCE_MS)
        assert error == 0, f"{topic}/{partition}: {err2str(error).decode()}"
        return low.value, high.value

    def partition(self, topic, partition):
        """Its records up to the end that it has now: (partition, offset, key, value); a value is JSON."""
        low, high = self.bounds(topic, partition)
        records, offset = [], low
        assert consume_start(self.topic(topic), partition, FROM_BEGINNING) == 0, err2str(last_error()).decode()
        while offset < high:
            message = consume(self.topic(topic), partition, PATIENCE_MS)
            assert message, f"{topic}/{partition}: nothing came behind offset {offset}"
            m = message.contents
            if m.err == 0:
                key = ctypes.string_at(m.key, m.key_len).decode() if m.key else None
                records.append((partition, m.offset, key, json.loads(ctypes.string_at(m.payload, m.len))))
                offset = m.offset + 1
            message_destroy(message)
        consume_stop(self.topic(topic), partition)
        return records


def read(servers, topic, partitions=1):
    """All records of a topic, partition by partition."""
    reader = Reader(servers)
    try:
        return [record for p in range(partitions) for record in reader.partition(topic, p)]
    finally:
        reader.close()
