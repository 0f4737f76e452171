# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The threshold that a manifest may suggest."""

import json

import pytest

from pamtri_edge.errors import BundleError
from pamtri_edge.manifest import SCHEMA, Manifest, Matching

SUGGESTED = {"threshold": 0.62, "false_match_rate": 0.001, "true_match_rate": 0.7, "set": "street"}


def test_it_is_written_and_read(manifest):
    made = manifest(matching=Matching(**SUGGESTED))
    assert json.loads(made.to_json())["matching"] == SUGGESTED
    assert Manifest.from_json(made.to_json()) == made


def test_manifests_without_it_are_read_as_before(manifest):
    record = json.loads(manifest().to_json())
    assert record["schema"] == SCHEMA == 1
    assert record.pop("matching") is None
    assert Manifest.from_json(json.dumps(record)).matching is None


@pytest.mark.parametrize(
    "wrong",
    [
        0.62,
        {**SUGGESTED, "threshold": 1.2},
        {**SUGGESTED, "threshold": "0.6"},
        {**SUGGESTED, "threshold": True},
        {**SUGGESTED, "false_match_rate": -0.1},
        {**SUGGESTED, "true_match_rate": None},
        {**SUGGESTED, "set": 5},
        {"threshold": 0.5},
    ],
)
def test_one_that_means_nothing_is_refused(manifest, wrong):
    record = {**json.loads(manifest().to_json()), "matching": wrong}
    with pytest.raises(BundleError, match=r"field 'matching' is .*; expected an object with \"threshold\""):
        Manifest.from_json(json.dumps(record))
