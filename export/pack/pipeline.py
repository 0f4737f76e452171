# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A pipeline of Service Maker: the same elements as the application, as a graph in YAML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise

from pamtri_edge.export import deepstream
from pamtri_edge.export.pack import application, plugin_files
from pamtri_edge.nvinfer import BATCH, PRIMARY_ID, SECONDARY_ID


def pipeline(sources: Sequence[str]) -> str:
    """Return the pipeline: every source into one muxer, then detector, tracker, our engine and a window."""
    names = [f"source{number}" for number in range(len(sources))]
    nodes = [
        *(_node("nvurisrcbin", name, {"uri": one}) for name, one in zip(names, sources, strict=True)),
        _node("nvstreammux", "mux", {"batch-size": len(sources), "width": 1920, "height": 1080}),
        _node(
            "nvinfer",
            "detector",
            {"config-file-path": application.DETECTOR, "unique-id": PRIMARY_ID},
        ),
        _node(
            "nvtracker",
            "tracker",
            {
                "ll-lib-file": application.TRACKER_LIBRARY,
                "ll-config-file": application.TRACKER,
                "tracker-width": 960,
                "tracker-height": 544,
            },
        ),
        _node(
            "nvinfer",
            "pamtri",
            {
                "config-file-path": deepstream.CONFIG,
                "batch-size": BATCH,
                "unique-id": SECONDARY_ID,
                "infer-on-gie-id": PRIMARY_ID,
                "infer-on-class-ids": f"{application.VEHICLES}:",
            },
        ),
        _node(
            "nvdspostprocess",
            "attach",
            {
                "postprocesslib-name": plugin_files.POSTPROCESS,
                "postprocesslib-config-file": plugin_files.SETTINGS,
            },
        ),
        _node("nvmultistreamtiler", "tiler", {"width": 1280, "height": 720}),
        _node("nvvideoconvert", "converter", {}),
        _node("nvdsosd", "osd", {}),
        "  # on a Jetson: nv3dsink; without a screen: fakesink",
        _node("nveglglessink", "sink", {"sync": False}),
    ]
    chain = ["mux", "detector", "tracker", "pamtri", "attach", "tiler", "converter", "osd", "sink"]
    links = [(name, "mux") for name in names] + list(pairwise(chain))
    edges = "\n".join(f"    {source}: {target}" for source, target in links)
    head = "# A pipeline of DeepStream's Service Maker; started in this folder, see README.md."
    return "\n".join([head, "deepstream:", "  nodes:", *nodes, "  edges:", edges]) + "\n"


def _node(kind: str, name: str, properties: Mapping[str, object]) -> str:
    lines = [f"  - type: {kind}", f"    name: {name}"]
    if properties:
        lines.append("    properties:")
        lines += [f"      {key}: {json.dumps(value)}" for key, value in properties.items()]
    return "\n".join(lines)
