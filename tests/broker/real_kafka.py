# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker for a test, by deploy/kafka/kafka, and what a test asks of it."""

import json
import os
import signal
import subprocess
import tempfile

import rdkafka

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(TOP, "deploy", "kafka", "kafka")


class Kafka:
    """Runs from __enter__ to __exit__, with data, ports and certificates of its own."""

    def __init__(self, *topics):
        self.topics = topics
        self.folder = tempfile.mkdtemp(prefix="invigil-kafka-")
        self.ports = ()  # free ones at the first start, the same ones from then on

    def command(self, *args):
        return [SCRIPT, "--dir", self.folder, *self.ports, *args]

    def run(self, *args, text_in="", **options):
        return subprocess.run(self.command(*args), check=True, input=text_in, text=True, **options)

    def prepare(self):
        """Addresses and certificates of a broker that is down: it was started once, and keeps them."""
        self.start()
        self.run("stop", stdout=subprocess.DEVNULL)

    def start(self):
        self.run("start", stdout=subprocess.DEVNULL)
        lines = self.run("env", stdout=subprocess.PIPE).stdout.splitlines()
        self.env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.servers = self.env["KAFKA_BOOTSTRAP"]
        tls_servers = self.env["KAFKA_TLS_BOOTSTRAP"]
        self.ports = ("--port", self.servers.rsplit(":", 1)[1], "--tls-port", tls_servers.rsplit(":", 1)[1])

    def kill(self):
        """As a machine that loses its power, but for what the system has still in memory."""
        with open(os.path.join(self.folder, "pid"), encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGKILL)

    def __enter__(self):
        try:
            self.start()
            if self.topics:
                named = (topic.partition(":") for topic in self.topics)
                rdkafka.create(self.servers, {name: int(width or 1) for name, _, width in named})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.run("clean", stdout=subprocess.DEVNULL)

    def count(self, topic):
        """How many records the topic holds, over all partitions."""
        return rdkafka.count(self.servers, topic)

    def produce(self, topic, values):
        producer = rdkafka.Producer(self.servers)
        for value in values:
            producer.send(topic, rdkafka.ANY_PARTITION, None, value)
        producer.flush()
        producer.close()

    def configure(self, kind, name, *change):
        """Settings of a topic, quotas of a client: what kafka-configs changes, from now on."""
        self.run("tool", "kafka.admin.ConfigCommand", "--bootstrap-server", self.servers, "--alter", "--entity-type", kind,
                 "--entity-name", name, *change, stdout=subprocess.DEVNULL)

    def limit(self, topic, size):
        """From now on the topic takes no message larger than that."""
        self.configure("topics", topic, "--add-config", f"max.message.bytes={size}")

    def read(self, topic):
        """All records of a topic: (partition, offset, time in ms, key, value); a value is JSON."""
        return [(*place, json.loads(value)) for *place, value in rdkafka.records(self.servers, topic)]
