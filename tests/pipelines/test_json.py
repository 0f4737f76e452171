# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The C++ reader of JSON against Python's."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pamtri_edge.files.strict_json import read_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def shown(value):
    """Return a value as probe.cpp shows it."""
    if isinstance(value, dict):
        return (
            "{" + "".join(f"{name.encode().hex()}:{shown(member)}," for name, member in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + "".join(f"{shown(item)}," for item in value) + "]"
    if isinstance(value, str):
        return f"'{value.encode().hex()}'"
    return json.dumps(value)


@settings(max_examples=15, deadline=None)
@given(st.lists(VALUES, min_size=5, max_size=30), st.booleans())
def test_whatever_python_writes_is_read_the_same(read_json_in_cpp, values, ascii_only):
    for value in values:
        assert read_json_in_cpp(json.dumps(value, ensure_ascii=ascii_only)) == f"ok {shown(value)}"


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "{", "[", '"', '{"a"}', '{"a":}', '{"a":1,}', "[1,]", "[1 2]", "{1:2}", "tru", "nul", "+1",
        "-", "01", "1.", ".5", "1e", "1e+", "NaN", "Infinity", "0x1", "1 2", '"\\x"', '"\\u12"', '"\\u12g4"',
        '"tab\there"', "'a'", "[1]]", '{"a":1 "b":2}', "1 // one", "/**/1", "1\0", "\0", "\ufeff1", "[1]\0]",
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_its_place(read_json_in_cpp, text):
    line = read_json_in_cpp(text)
    assert line.startswith("error ")
    assert "at byte " in line


@pytest.mark.parametrize("content", [b'"\xff"', b'"\xc3"', b'{"\xed\xa0\x80":1}', b'"\xf5\x80\x80\x80"'])
def test_what_is_not_utf8_is_refused(read_json_in_cpp, content):
    assert read_json_in_cpp(content).startswith("error text that is not UTF-8 at byte ")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1e999}', '{"a": -1e999}', '{"a": ' + "7" * 300 + "}", '{"a": -' + "7" * 5000 + "}",
        "1" + "0" * 18, "-1" + "0" * 18, "9" * 20, '{"a": 1, "b": 2, "a": 3}',
        '{"a": {"b": [{"c": 1, "c": 1}]}}',
        json.dumps({"ü" * 50: 1}, ensure_ascii=False)[:-1] + ', "' + "ü" * 50 + '": 2}',
        '{"a": "\\ud800"}', '{"\\udfff": 1}', '"\\ud800\\u0041"', "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000,
    ],
    ids=lambda text: text[:20],
)  # fmt: skip
def test_what_json_permits_and_we_do_not_is_refused_in_pythons_words(read_json_in_cpp, text):
    with pytest.raises(ValueError, match=r"\w") as refused:
        read_json(text)
    assert read_json_in_cpp(text) == f"error {refused.value}"


def test_64_levels_are_read(read_json_in_cpp):
    assert read_json_in_cpp("[" * 65 + "]" * 65) == "ok " + "[" * 65 + "]" + ",]" * 64
    assert read_json_in_cpp("[" * 66 + "]" * 66) == "error it is nested too deep"
