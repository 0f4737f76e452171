# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Fingerprints of engines: what differs between two, and digests that name files and so stay the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge.runtime.tensorrt.fingerprint import Fingerprint

HERE = Fingerprint(
    onnx="a" * 64,
    library="TensorRT 10.3.0",
    cuda="12.6",
    compute="sm_87",
    gpu="Orin",
    l4t="36.4.0",
    precision="fp16",
    profiles="1/16/32 8 16 32",
)

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(_TEXT, _TEXT, st.none() | _TEXT, st.none() | _TEXT)
def test_a_digest_is_of_the_facts_that_matter_as_sorted_json(
    gpu: str, library: str, l4t: str | None, precision: str | None
) -> None:
    facts = dataclasses.replace(HERE, gpu=gpu, library=library, l4t=l4t, precision=precision)
    matter = {"library": ".".join(library.split(".")[:3]), "cuda": "12"}
    text = json.dumps(dataclasses.asdict(facts) | matter, sort_keys=True)
    assert facts.digest == hashlib.sha256(text.encode()).hexdigest()[:20]


def test_the_digest_of_an_engine_stays_what_it_is() -> None:
    assert HERE.digest == "bfa0e57c32ffb1e577bc"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"onnx": "b" * 64}, ["the network was bbbbbbbbbbbb..., is aaaaaaaaaaaa... (SHA-256)"]),
        ({"onnx": None}, ["the network was None..., is aaaaaaaaaaaa... (SHA-256)"]),
        ({"library": "TensorRT-RTX 1.6"}, ["TensorRT was 'TensorRT-RTX 1.6', is 'TensorRT 10.3.0'"]),
        (
            {"l4t": None, "gpu": "Nano"},
            ["the GPU was 'Nano', is 'Orin'", "the Jetson's L4T was none, is '36.4.0'"],
        ),
        ({"profiles": "8", "unknown": 3}, ["the set of batch profiles was '8', is '1/16/32 8 16 32'"]),
        ({"gpu": 12.6}, ["the GPU was '12.6, which is no text', is 'Orin'"]),
        ({"cuda": "13.0"}, ["CUDA was '13.0', is '12.6'"]),
        ({"cuda": "12.8", "library": "TensorRT 10.3.0.26"}, []),
    ],
)
def test_what_differs_is_told_in_words(changes: dict[str, Any], said: list[str]) -> None:
    assert HERE.differences({**dataclasses.asdict(HERE), **changes}) == said
