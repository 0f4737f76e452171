# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pamtri_edge.addresses import HIDDEN, is_address, parse_address, redact, redact_text

ODD = "#?/[]@:%&=+ "
"""Characters that mean something in an address, and that passwords are full of."""

LETTERS = "jkqwxzJKQWXZ"
"""Of these no usual word of an address is made."""

PASSWORDS = st.text(LETTERS + string.digits + ODD + "!$é", min_size=6, max_size=16).filter(
    lambda text: any(one in LETTERS for one in text) and text == text.strip()
)
PLACES = (
    "rtsp://admin:{}@127.0.0.1:9/ch1",
    "rtsp://admin:{}@camera.local/Streaming/Channels/101",
    "rtsp://{}@127.0.0.1/live",
    "rtsp://127.0.0.1:9/{}",
    "rtsp://127.0.0.1:9/live/{}/ch1",
    "rtsp://127.0.0.1:9/user=admin&password={}&channel=1",
    "rtsp://127.0.0.1:9/user=admin_password={}_channel=1.sdp",
    "http://127.0.0.1:9/video.cgi?user=admin&pwd={}",
    "http://127.0.0.1:9/video.cgi?{}",
    "http://127.0.0.1:9/video.cgi?channel={}",
    "http://127.0.0.1:9/clip.mp4?token={}",
    "http://127.0.0.1:9/video.cgi#{}",
    "rtmp://live.local/app/{}",
)


@pytest.mark.parametrize("place", PLACES)
@given(password=PASSWORDS)
@example(password="000x00")
def test_no_password_is_shown_whatever_it_is_made_of_and_wherever_it_stands(
    place: str, password: str
) -> None:
    address = place.format(password)
    parsed = parse_address(address)
    for shown in (parsed.shown, parsed.name, redact(address), redact_text(f"{address}: no", [address])):
        assert password not in shown
        assert not set(LETTERS) & set(shown), "a part of it"


@pytest.mark.parametrize(
    "password", ["ab#cd", "ab?cd", "ab/cd", "ab[cd", "ab@cd", "ab:cd", "ab]c%d", "12/cd", "a b"]
)
def test_a_password_with_odd_characters_leads_to_the_host_that_was_meant(password: str) -> None:
    parsed = parse_address(f"rtsp://admin:{password}@127.0.0.1:9/ch1")
    assert (parsed.host, parsed.port, parsed.rest) == ("127.0.0.1", ":9", "/ch1")
    assert parsed.user_info == f"admin:{password}"
    assert parsed.name == "127.0.0.1"
    assert parsed.shown == "rtsp://***@127.0.0.1:9/ch1"
    assert parsed.to_open.count("@") == 1
    assert not set("#?[]") & set(parsed.to_open)
    assert parse_address(parsed.to_open).host == "127.0.0.1"


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://north.example:554/Streaming/Channels/101",
        "rtsp://10.0.0.7/cam/realmonitor?channel=1&subtype=0",
        "rtsp://[fe80::1]:554/h264Preview_01_main",
        "http://axis/axis-cgi/mjpg/video.cgi?resolution=640x480&fps=15",
        "udp://:1234",
        "udp://239.0.0.1:1234",
    ],
)
def test_an_address_of_the_usual_words_is_shown_and_opened_as_it_is(address: str) -> None:
    assert parse_address(address).shown == address
    assert parse_address(address).to_open == address


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("rtsp://admin:secret@north.example/x", "north.example"),
        ("rtsp://admin@10.0.0.7/x", "10.0.0.7"),
        ("rtsp://[::1]/x", "::1"),
        ("rtsp://admin:secret", "stream"),
        ("rtsp://admin:12/cd@north.example/x", "stream"),  # host "admin", port 12? or a password "12/cd"?
    ],
)
def test_a_camera_is_named_by_its_host_never_by_its_user(address: str, name: str) -> None:
    assert parse_address(address).name == name


@pytest.mark.parametrize(
    "text",
    [
        "admin:secret@10.0.0.7/ch1",
        "rtsp:/admin:secret@n/1",
        "10.0.0.7/v.cgi?user=a&pwd=secret",
        "x/password=secret",
    ],
)
def test_an_address_without_its_scheme_is_redacted_too(text: str) -> None:
    assert not is_address(text)
    assert "secret" not in redact(text)
    assert HIDDEN in redact(text)


@pytest.mark.parametrize("text", ["north", "/videos/a@b.mp4", "clips/10:30.mp4", "C:/x.mp4", "0", "Süd 1"])
def test_names_and_paths_stay_as_they_are(text: str) -> None:
    assert redact(text) == text
    assert redact_text(f"cannot read {text}: no such file") == f"cannot read {text}: no such file"


def test_addresses_within_a_text_are_redacted_once() -> None:
    text = "Cannot open 'rtsp://a:secret@h/live', nor (http://h/v?pwd=secret)."
    once = redact_text(text)
    assert "secret" not in once
    assert once == "Cannot open 'rtsp://***@h/live', nor (http://h/v?***)."
    assert redact_text(once) == once
