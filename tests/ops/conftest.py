# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the tests of the operations share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pamtri_edge import ops


@pytest.fixture(scope="module", params=["native", "reference"])
def implementation(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the tests that ask for it with the compiled operations, and once more with the reference."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAMTRI_OPS", request.param)
        ops._operations.cache_clear()
        assert ops.implementation() == request.param
        yield request.param
    ops._operations.cache_clear()


@pytest.fixture
def thread_setting() -> Iterator[None]:
    """Put the number of threads back to every core when the test is done."""
    yield
    ops.set_threads(None)
