# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pamtri_edge.runtime.tensorrt.buckets import BUCKETS, LARGEST, chunks
from pamtri_edge.runtime.tensorrt.build import PROFILES


@given(st.integers(0, 400))
def test_a_batch_is_cut_so_that_every_item_runs_once_in_order(count: int) -> None:
    cut = list(chunks(count))
    assert [index for chunk in cut for index in range(chunk.items.start, chunk.items.stop)] == list(
        range(count)
    )
    assert all(0 < chunk.count <= chunk.size for chunk in cut)
    assert {chunk.size for chunk in cut} <= set(BUCKETS)
    # Only the last one is filled up, and never to twice its size.
    assert all(chunk.count == chunk.size for chunk in cut[:-1])
    assert all(2 * chunk.count > chunk.size for chunk in cut)
    assert len(cut) == 1 or count not in BUCKETS


@pytest.mark.parametrize(("size", "number"), BUCKETS.items())
def test_every_bucket_lies_in_its_profile(size: int, number: int) -> None:
    assert PROFILES[number].smallest <= size <= PROFILES[number].largest


def test_the_first_profile_is_what_nvinfer_takes_and_the_others_have_one_size() -> None:
    assert list(map(str, PROFILES)) == ["1/16/32", "8", "16", "32"]
    assert PROFILES[0].largest == LARGEST
