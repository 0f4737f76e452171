# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Configurations of deepstream-app and deepstream-test5: sources, detector, tracker, our engine, outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from pamtri_edge.export import deepstream
from pamtri_edge.export.pack.sources import DEEPSTREAM, is_live
from pamtri_edge.nvinfer import BATCH, PRIMARY_ID, SECONDARY_ID

DETECTOR: Final = f"{DEEPSTREAM}/samples/configs/deepstream-app/config_infer_primary.txt"
"""NVIDIA's TrafficCamNet; its class 0 is a car."""
TRACKER: Final = f"{DEEPSTREAM}/samples/configs/deepstream-app/config_tracker_NvDCF_perf.yml"
TRACKER_LIBRARY: Final = f"{DEEPSTREAM}/lib/libnvds_nvmultiobjecttracker.so"
ADAPTER: Final = f"{DEEPSTREAM}/lib/libnvds_kafka_proto.so"
BROKER: Final = "localhost;9092"
TOPIC: Final = "pamtri"
CONVERTER: Final = "msgconv.txt"
VEHICLES: Final = "0"
"""Classes of the detector that are vehicles."""

_DISPLAY: Final = """[sink0]
enable=1
# 2: a window (nveglglessink; nv3dsink on Jetsons). Without a screen: 1, nothing
type=2
sync=0
source-id=0
gpu-id=0
"""


def application(sources: Sequence[str]) -> str:
    """Return the configuration of deepstream-app: the vehicles in a window."""
    head = (
        "# deepstream-app -c deepstream-app.txt, started in this folder. Paths are relative to this file.\n"
    )
    return head + _common(sources) + "\n" + _DISPLAY


def test5(sources: Sequence[str]) -> str:
    """Return the configuration of deepstream-test5: the vehicles in a window and to a broker."""
    head = "# deepstream-test5-app -c deepstream-test5.txt, started in this folder.\n"
    return f"""{head}{_common(sources)}
{_DISPLAY}
[sink1]
enable=1
# 6: to a broker
type=6
msg-conv-config={CONVERTER}
# 0: JSON, a message a vehicle; 2: protobuf, a message a frame
msg-conv-payload-type=0
msg-broker-proto-lib={ADAPTER}
msg-broker-conn-str={BROKER}
topic={TOPIC}
"""


def converter(sources: Sequence[str]) -> str:
    """Return the configuration of nvmsgconv: how messages call the cameras."""
    cameras = "\n".join(
        f"[sensor{number}]\nenable=1\ntype=Camera\nid=camera-{number}\nlocation=0;0;0\n"
        f"description=source {number}\ncoordinate=0;0;0\n"
        for number in range(len(sources))
    )
    return f"# What messages say of the cameras, in the order of the sources.\n{cameras}"


def _common(sources: Sequence[str]) -> str:
    columns = math.ceil(math.sqrt(len(sources)))
    rows = math.ceil(len(sources) / columns)
    given = "\n".join(_source(number, source) for number, source in enumerate(sources))
    return f"""
[application]
enable-perf-measurement=1
perf-measurement-interval-sec=5

[tiled-display]
enable=1
rows={rows}
columns={columns}
width=1280
height=720
gpu-id=0

{given}
[streammux]
gpu-id=0
batch-size={len(sources)}
batched-push-timeout=40000
width=1920
height=1080
live-source={int(any(map(is_live, sources)))}

# the detector: any that finds vehicles; its classes of vehicles are named below
[primary-gie]
enable=1
gpu-id=0
batch-size={len(sources)}
gie-unique-id={PRIMARY_ID}
config-file={DETECTOR}

[tracker]
enable=1
tracker-width=960
tracker-height=544
ll-lib-file={TRACKER_LIBRARY}
ll-config-file={TRACKER}
gpu-id=0
display-tracking-id=1

# the bundle
[secondary-gie0]
enable=1
gpu-id=0
batch-size={BATCH}
gie-unique-id={SECONDARY_ID}
operate-on-gie-id={PRIMARY_ID}
operate-on-class-ids={VEHICLES};
config-file={deepstream.CONFIG}

[osd]
enable=1
gpu-id=0
border-width=2
text-size=15
text-color=1;1;1;1
text-bg-color=0.3;0.3;0.3;1

[tests]
file-loop=0
"""


def _source(number: int, source: str) -> str:
    kind = "# 4: a camera by RTSP\ntype=4" if is_live(source) else "# 2: one video\ntype=2"
    more = "latency=200\nrtsp-reconnect-interval-sec=10\n" if is_live(source) else ""
    return f"[source{number}]\nenable=1\n{kind}\nuri={source}\n{more}gpu-id=0\n"
