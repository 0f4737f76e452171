# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A sink's URI: what is understood, what is refused, and that no password is ever shown."""

import socket
import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge._sinks import parse_settings
from pamtri_edge.errors import InputError
from pamtri_edge.sinks.redis_streams import RedisTransport
from pamtri_edge.sinks.transport import TransportError

SECRET = "s3cr3t"


def refusal(uri):
    with pytest.raises(InputError) as refused:
        parse_settings(uri)
    text = str(refused.value)
    assert "\n" not in text
    assert text.endswith(".")
    return text


@pytest.mark.parametrize(
    ("uri", "places", "target"),
    [
        ("mqtt://broker/site/events", [("broker", 1883)], "site/events"),
        ("MQTTS://10.0.0.7:8884/events", [("10.0.0.7", 8884)], "events"),
        ("redis://[::1]:7000/events", [("::1", 7000)], "events"),
        ("rediss://cache.local/a%20b", [("cache.local", 6379)], "a b"),
        ("kafka://a:9094,b/events", [("a", 9094), ("b", 9092)], "events"),
        ("kafkas://a/events?compression=zstd", [("a", 9093)], "events"),
        ("file:out/events.jsonl", [], "out/events.jsonl"),
        ("file:///tmp/events.jsonl?sync=true", [], "/tmp/events.jsonl"),
    ],
)
def test_a_uri_says_where_and_to_what(uri, places, target):
    settings = parse_settings(uri)
    assert settings.places == places
    assert settings.target == target


@pytest.mark.parametrize(
    "uri",
    [
        f"mqtt://operator:{SECRET}@broker/events",
        f"redis://:{SECRET}@broker:7000/events",
        f"kafka://operator:{SECRET}@a,b:9093/events",
        f"mqtt://operator:{SECRET}%40%2F@broker/events",
        f"mqtt://operator:a@{SECRET}@broker/events",
    ],
)
def test_what_is_shown_of_a_uri_has_neither_user_nor_password(uri):
    settings = parse_settings(uri)
    assert SECRET in settings.password
    assert settings.shown.partition("://")[2].startswith("***@")
    assert SECRET not in settings.shown
    assert "operator" not in settings.shown
    assert settings.hide(f"login {settings.password!s} of {settings.user} failed").count(SECRET) == 0


@pytest.mark.parametrize(
    "uri",
    [
        f"mqtt://operator:{SECRET}/x@broker/events",
        f"mqtt://operator:{SECRET}#x@broker/events",
        f"mqtt://operator:{SECRET}?x@broker/events",
        f"mqtt://operator:{SECRET}@broker:0/events",
        f"mqtt://operator:{SECRET}@broker:99999/events",
        f"mqtt://operator:{SECRET}@/events",
        f"mqtt://operator:{SECRET}@bro ker/events",
        f"mqtt://operator:{SECRET}@broker",
        f"mqtt://operator:{SECRET}@broker/a/#",
        f"mqtt://operator:{SECRET}@broker/a/%23",
        f"mqtt://operator:{SECRET}@broker/events?windw=3",
        f"mqtt://operator:{SECRET}@broker/events?window=none",
        f"mqtt:operator:{SECRET}@broker/events",
        f"mqt://operator:{SECRET}@broker/events",
        f"operator:{SECRET}@broker/events",
        f"amqp://operator:{SECRET}@broker/events",
        f"redis://operator:{SECRET}@a,b/events",
        f"kafka://operator:{SECRET}@a/no spaces",
        f"mqtt://broker/events?password={SECRET}",
        f"mqtt://broker/events?passwort={SECRET}",
        f"{SECRET}",
        "",
    ],
)
def test_a_refusal_names_no_password(uri):
    text = refusal(uri)
    assert SECRET not in text
    assert "operator" not in text


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("mqtt://b/t?windw=3", ["'windw'", "did you mean window?"]),
        ("redis://b/t?max-len=3", ["did you mean maxlen?"]),
        ("mqtt://b/t?maxlen=3", ["no option 'maxlen'"]),
        ("mqtt://b/t?ca=/x", ["ca belongs to TLS", "mqtts://"]),
        ("mqtts://b/t?ca=/does/not/exist", ["a file that can be read", "No such file"]),
        ("mqtt://b/t?queue=5", ["64KiB"]),
        ("mqtt://b/t?queue=1e400MiB", ["64KiB"]),
        ("mqtt://b/t?timeout=nan", ["seconds from"]),
        ("mqtt://b/t?full=all", ["oldest or newest"]),
        ("file:e.jsonl?options=x", ["no option 'options'"]),
        ("kafka://b/t?sasl=NONE", ["PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"]),
        ("mqts://b/t", ["did you mean mqtt"]),
        ("file://host/x", ["file:PATH"]),
        ("file:", ["no path"]),
    ],
)
def test_a_refusal_says_what_is_accepted(uri, parts):
    text = refusal(uri)
    for part in parts:
        assert part in text


def test_an_options_file_gives_what_nobody_else_should_see(tmp_path):
    path = tmp_path / "broker.options"
    path.write_text(f"# of the site's broker\nuser = operator\npassword={SECRET}\nwindow=7\n")
    settings = parse_settings(f"mqtt://broker/events?options={path}&window=9")
    assert (settings.user, settings.password, settings.window) == ("operator", SECRET, 9)
    assert SECRET not in settings.hide(f"no {SECRET}")
    path.write_text(f"pasword={SECRET}\n")
    text = refusal(f"mqtt://broker/events?options={path}")
    assert "did you mean password?" in text
    assert f"{path}:1" in text
    assert SECRET not in text
    path.write_text(f"{SECRET}\n")
    assert SECRET not in refusal(f"mqtt://broker/events?options={path}")
    assert "No such file" in refusal("mqtt://broker/events?options=/does/not/exist")


@given(st.text(max_size=40))
def test_any_text_is_understood_or_refused_in_one_sentence(text):
    for uri in (text, f"mqtt://{text}", f"kafka://u:{text}@h/t", f"file:{text}", f"redis://h/t?{text}"):
        with suppress(InputError):
            parse_settings(uri)


@given(st.text(min_size=3, max_size=30).filter(lambda text: text.strip() == text))
def test_a_password_of_any_letters_arrives_when_it_is_escaped(password):
    from urllib.parse import quote

    settings = parse_settings(f"mqtt://u:{quote(password, safe='')}@h/t")
    assert settings.password == password
    assert password not in settings.hide(f"<{password}> or {quote(password, safe='')}").replace("***", "")


@pytest.mark.parametrize("said", [b"!", b"HTTP/1.1 400 Bad Request\r\n"])
def test_what_is_no_redis_is_told_in_a_few_words_whatever_it_says(said):
    def say(server):
        with server.accept()[0] as connection:
            connection.sendall(said * 1000 + b"\r\n")
            while connection.recv(1 << 16):  # until the client goes
                continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        other = threading.Thread(target=say, args=(server,))
        other.start()
        client = RedisTransport(parse_settings(f"redis://127.0.0.1:{server.getsockname()[1]}/t?timeout=5"))
        with pytest.raises(TransportError, match=r"^it does not speak Redis's protocol$"):
            client.connect(5.0)
        client.close()
        other.join(10)
