# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Real brokers on free ports in given folders, what consumes from them, and processes that send to them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest

PATIENCE_S = 20.0


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(condition, what):
    """Wait until something holds; fail with what it is."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Broker:
    """A broker's process, which can be killed, held and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.process = None

    def start(self):
        command = self.command()  # which skips the test where the program is not installed
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        wait_for(lambda: answers(self.port), f"{type(self).__name__} at its port")

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.killed()

    def killed(self):
        """Wait until a consumer knows."""

    def arrived(self):
        """Return the numbers of what a consumer has got, in the order of arrival."""
        return [json.loads(payload)["n"] for payload in self.payloads()]

    def hold(self, seconds):
        """Have it answer nobody for a while."""
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.kill()


class Mosquitto(Broker):
    def __init__(self, folder, *lines, scheme="mqtt"):
        super().__init__(folder)
        self.uri = f"{scheme}://127.0.0.1:{self.port}/site/events"
        owner = ["user root"] if os.geteuid() == 0 else []
        lasting = ["persistence true", f"persistence_location {folder}/", "autosave_on_changes true"]
        lasting += ["autosave_interval 1", "max_inflight_messages 0"]
        access = lines or ["allow_anonymous true"]
        text = [*owner, *lasting, f"listener {self.port} 127.0.0.1", *access]
        (folder / "mosquitto.conf").write_text("\n".join(text) + "\n")
        self.seen = []
        self.subscribed = threading.Event()
        self.consumer = None

    def start(self):
        super().start()
        # What it holds for a consumer that is away may end with it: that is the broker's own promise.
        assert self.consumer is None or self.subscribed.wait(PATIENCE_S)

    def command(self):
        return [program("mosquitto"), "-c", self.folder / "mosquitto.conf"]

    def consume(self):
        paho = pytest.importorskip("paho.mqtt.client", reason='needs pip install "pamtri-edge[mqtt]"')
        from paho.mqtt.packettypes import PacketTypes

        client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="consumer", protocol=paho.MQTTv5)
        client.on_connect = lambda *_: client.subscribe("site/events", qos=1)
        client.on_disconnect = lambda *_: self.subscribed.clear()
        client.on_subscribe = lambda *_: self.subscribed.set()
        client.on_message = lambda _client, _data, message: self.seen.append(message.payload)
        client.reconnect_delay_set(0.05, 0.2)
        lasting = paho.Properties(PacketTypes.CONNECT)
        lasting.SessionExpiryInterval = 600
        client.connect("127.0.0.1", self.port, clean_start=False, properties=lasting)
        client.loop_start()
        self.consumer = client
        assert self.subscribed.wait(PATIENCE_S)

    def killed(self):
        wait_for(lambda: self.consumer is None or not self.subscribed.is_set(), "the consumer to know")

    def payloads(self):
        return list(self.seen)

    def close(self):
        if self.consumer is not None:
            self.consumer.disconnect()
            self.consumer.loop_stop()
            self.consumer = None
        super().close()


class Redis(Broker):
    def __init__(self, folder, *options, scheme="redis"):
        super().__init__(folder)
        self.uri = f"{scheme}://127.0.0.1:{self.port}/site:events"
        self.options = options

    def command(self):
        lasting = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        port = [] if "--tls-port" in self.options else ["--port", str(self.port)]
        return [program("redis-server"), "--bind", "127.0.0.1", *port, *lasting, *self.options]

    def consume(self):
        pytest.importorskip("redis", reason='needs pip install "pamtri-edge[redis]"')

    def payloads(self):
        import redis

        client = redis.Redis(port=self.port)
        try:
            return [fields[b"event"] for _, fields in client.xrange("site:events")]
        finally:
            client.close()


class Kafka(Broker):
    """librdkafka's cluster for tests, in a process of its own; what it holds ends with it."""

    def start(self):
        pytest.importorskip("confluent_kafka", reason='needs pip install "pamtri-edge[kafka]"')
        text = """
            import sys, confluent_kafka
            cluster = confluent_kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 2})
            brokers = cluster.list_topics("site-events", timeout=10).brokers.values()
            print(",".join(f"{one.host}:{one.port}" for one in brokers), flush=True)
            sys.stdin.read()
        """
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(text)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.servers = self.process.stdout.readline().strip()
        self.uri = f"kafka://{self.servers}/site-events"

    def consume(self):
        pass

    def payloads(self):
        import confluent_kafka

        consumer = confluent_kafka.Consumer(
            {"bootstrap.servers": self.servers, "group.id": "test", "auto.offset.reset": "earliest"}
        )
        try:
            parts = consumer.list_topics("site-events", timeout=10).topics["site-events"].partitions
            places = [confluent_kafka.TopicPartition("site-events", part, 0) for part in parts]
            consumer.assign(places)
            left = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
            seen = []
            while left > 0:
                for message in consumer.consume(left, timeout=1.0):
                    assert message.error() is None
                    seen.append(message.value())
                    left -= 1
            return seen
        finally:
            consumer.close()

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
        super().close()


def program(name):
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed (Debian and Ubuntu: apt install {name})")
    return found


class Sender:
    """A process that sends what it is given, as `pamtri run` or an element does."""

    def __init__(self, command, uri, spool=""):
        self.process = subprocess.Popen(
            [*command, uri, str(spool)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def post(self, numbers, *, every_s=0.0):
        for number in numbers:
            payload = json.dumps({"n": number, "fill": "." * 200})
            self.process.stdin.write(f"north/{number % 5}\t{payload}\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline().startswith("posted")
            time.sleep(every_s)

    def finish(self):
        """Return the report, and what was told."""
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return json.loads(out.rpartition("report ")[2]), err

    def refusal(self):
        _, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 1
        return err.strip()

    def kill(self):
        self.process.kill()
        self.process.communicate()
