# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ reader of JSON against Python's."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def read_by_cpp(programs, lines):
    done = subprocess.run(
        [programs / "core_probe", "json"], input="\n".join(lines).encode(), capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()


def shown(value):
    """Return a value as core_probe shows it."""
    if isinstance(value, dict):
        members = sorted((name.encode(), member) for name, member in value.items())
        return "{" + "".join(f"{name.hex()}:{shown(member)}," for name, member in members) + "}"
    if isinstance(value, list):
        return "[" + "".join(f"{shown(item)}," for item in value) + "]"
    if isinstance(value, str):
        return f"'{value.encode().hex()}'"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return f"{float(value):.17g}"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, min_size=5, max_size=30), st.booleans())
def test_whatever_python_writes_is_read_the_same(programs, values, ascii_only):
    lines = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    assert read_by_cpp(programs, lines) == [f"ok {shown(value)}" for value in values]


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "[", '"', '{"a"}', '{"a":}', '{"a":1,}', "[1,]", "[1 2]", "{1:2}", "tru", "nul", "+1",
        "-", "01", "1.", ".5", "1e", "1e+", "NaN", "Infinity", "0x1", "1 2", '"\\x"', '"\\u12"', '"\\u12g4"',
        '"\\ud800"', '"\\ud800\\u0041"', '"\\udc00"', '"tab\there"', "'a'", "[1]]", '{"a":1 "b":2}',
        '{"a":1,"a":2}', "[" * 70 + "]" * 70,
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_its_place(programs, text):
    (line,) = read_by_cpp(programs, [text or " "])
    assert line.startswith("error ")
    assert "at byte " in line
