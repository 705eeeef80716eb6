# SPDX-License-Identifier: Apache-2.0
"""Kafka for a test: the few calls of librdkafka that it takes, by ctypes. The monitor links the same library, so it is there;
starting one of Kafka's own tools takes seconds."""

import contextlib
import ctypes
import json
import time

LIBRARY = ctypes.CDLL("librdkafka.so.1")
PRODUCER, CONSUMER = 0, 1
COPY, FROM_BEGINNING, ANY_PARTITION = 2, -2, -1
QUEUE_FULL, END_OF_PARTITION, TOPIC_EXISTS = -184, -191, 36
PATIENCE_MS = 60000


class Message(ctypes.Structure):
    _fields_ = [("err", ctypes.c_int), ("rkt", ctypes.c_void_p), ("partition", ctypes.c_int32),
                ("payload", ctypes.c_void_p), ("len", ctypes.c_size_t), ("key", ctypes.c_void_p),
                ("key_len", ctypes.c_size_t), ("offset", ctypes.c_int64), ("private", ctypes.c_void_p)]


class Topic(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("width", ctypes.c_int), ("partitions", ctypes.c_void_p), ("err", ctypes.c_int)]


class Metadata(ctypes.Structure):
    _fields_ = [("broker_count", ctypes.c_int), ("brokers", ctypes.c_void_p), ("topic_count", ctypes.c_int),
                ("topics", ctypes.POINTER(Topic)), ("broker", ctypes.c_int32), ("broker_name", ctypes.c_char_p)]


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
message_timestamp = declare("message_timestamp", INT64, ctypes.POINTER(Message), POINTER)
ask_metadata = declare("metadata", INT, POINTER, INT, POINTER, ctypes.POINTER(ctypes.POINTER(Metadata)), INT)
metadata_destroy = declare("metadata_destroy", None, ctypes.POINTER(Metadata))
new_topic = declare("NewTopic_new", POINTER, TEXT, INT, INT, TEXT, SIZE)
new_topic_destroy = declare("NewTopic_destroy", None, POINTER)
create_topics = declare("CreateTopics", None, POINTER, ctypes.POINTER(POINTER), SIZE, POINTER, POINTER)
queue_new = declare("queue_new", POINTER, POINTER)
queue_poll = declare("queue_poll", POINTER, POINTER, INT)
queue_destroy = declare("queue_destroy", None, POINTER)
event_error = declare("event_error", INT, POINTER)
event_destroy = declare("event_destroy", None, POINTER)
result_of_create = declare("event_CreateTopics_result", POINTER, POINTER)
topics_of_result = declare("CreateTopics_result_topics", ctypes.POINTER(POINTER), POINTER, ctypes.POINTER(SIZE))
topic_error = declare("topic_result_error", INT, POINTER)
topic_name = declare("topic_result_name", TEXT, POINTER)


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
        super().__init__(PRODUCER, servers, self.report, **{"enable.idempotence": "true", "linger.ms": "1",
                                                            "message.max.bytes": "4194304"})

    def reported(self, error):
        if error:
            self.failures.append(err2str(error).decode())

    def send(self, topic, partition, key, value):
        value, key = value.encode(), None if key is None else key.encode()
        while produce(self.topic(topic), partition, COPY, value, len(value), key, len(key or b""), None) != 0:
            assert err2str(last_error()) == err2str(QUEUE_FULL), err2str(last_error())
            poll(self.handle, 100)
        poll(self.handle, 0)

    def flush(self):
        error = flush(self.handle, PATIENCE_MS)
        assert error == 0 and not self.failures, (err2str(error).decode(), self.failures[:3])


class Reader(Client):
    def __init__(self, servers):
        super().__init__(CONSUMER, servers, **{"check.crcs": "true", "enable.partition.eof": "true"})

    def width(self, topic):
        """How many partitions it has; 0: it is not there."""
        answer = ctypes.POINTER(Metadata)()
        error = ask_metadata(self.handle, 0, self.topic(topic), ctypes.byref(answer), PATIENCE_MS)
        assert error == 0, f"{topic}: {err2str(error).decode()}"
        width = answer.contents.topics[0].width
        metadata_destroy(answer)
        return width

    def bounds(self, topic, partition):
        """One that is new may have no leader yet: then it is asked again."""
        low, high = INT64(), INT64()
        late = time.monotonic() + PATIENCE_MS / 1000
        while error := watermarks(self.handle, topic.encode(), partition, low, high, PATIENCE_MS):
            assert time.monotonic() < late, f"{topic}/{partition}: {err2str(error).decode()}"
        return low.value, high.value

    def partition(self, topic, partition):
        """Its records up to the end that it has now: (partition, offset, time in ms, key, bytes)."""
        low, high = self.bounds(topic, partition)
        records, offset = [], low
        assert consume_start(self.topic(topic), partition, FROM_BEGINNING) == 0, err2str(last_error()).decode()
        while offset < high:
            message = consume(self.topic(topic), partition, PATIENCE_MS)
            assert message, f"{topic}/{partition}: nothing came behind offset {offset}"
            m = message.contents
            if m.err == 0:
                key = ctypes.string_at(m.key, m.key_len).decode() if m.key else None
                value = ctypes.string_at(m.payload, m.len) if m.payload else b""
                records.append((partition, m.offset, message_timestamp(message, None), key, value))
                offset = m.offset + 1
            elif m.err == END_OF_PARTITION:  # what comes last need not be a record
                offset = high
            message_destroy(message)
        consume_stop(self.topic(topic), partition)
        return records


@contextlib.contextmanager
def reader(servers):
    opened = Reader(servers)
    try:
        yield opened
    finally:
        opened.close()


def records(servers, topic):
    """All of a topic, partition by partition: (partition, offset, time in ms, key, bytes)."""
    with reader(servers) as r:
        return [record for p in range(r.width(topic)) for record in r.partition(topic, p)]


def read(servers, topic):
    """All records of a topic, partition by partition: (partition, offset, key, value); a value is JSON."""
    return [(p, offset, key, json.loads(value)) for p, offset, _, key, value in records(servers, topic)]


def count(servers, topic):
    """How many records it holds, over all partitions."""
    with reader(servers) as r:
        bounds = [r.bounds(topic, p) for p in range(r.width(topic))]
    return sum(high - low for low, high in bounds)


def create(servers, widths):
    """Topics that are not there yet: {name: partitions}."""
    client = Client(PRODUCER, servers)
    text = ctypes.create_string_buffer(512)
    wanted = (POINTER * len(widths))(*(new_topic(name.encode(), width, 1, text, len(text)) for name, width in widths.items()))
    assert all(wanted), text.value.decode()
    queue, number = queue_new(client.handle), SIZE()
    create_topics(client.handle, wanted, len(wanted), None, queue)
    event = queue_poll(queue, PATIENCE_MS)
    assert event and event_error(event) == 0, "the broker makes no topics"
    results = topics_of_result(result_of_create(event), ctypes.byref(number))
    for i in range(number.value):
        assert topic_error(results[i]) in (0, TOPIC_EXISTS), f"{topic_name(results[i])}: {err2str(topic_error(results[i]))}"
    event_destroy(event)
    queue_destroy(queue)
    for topic in wanted:
        new_topic_destroy(topic)
    client.close()
