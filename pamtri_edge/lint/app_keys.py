# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The groups and keys of deepstream-app and deepstream-test5, which read their files with the same code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pamtri_edge.lint.vocabulary import Key, table

_MESSAGES: Final = table(
    files="msg-conv-config",
    ints="msg-conv-payload-type msg-conv-comp-id msg-conv-frame-interval",
    flags="multiple-payloads msg-conv-msg2p-new-api msg-conv-dummy-payload",
    places="msg-conv-msg2p-lib debug-payload-dir",
    texts="msg-conv-embedding-filter",
)

GROUPS: Final[Mapping[str, Mapping[str, Key]]] = {
    "application": table(
        flags="enable-perf-measurement",
        ints="perf-measurement-interval-sec global-gpu-id",
        places="gie-kitti-output-dir kitti-track-output-dir reid-track-output-dir "
        "terminated-track-output-dir shadow-track-output-dir",
    ),
    "tests": table(ints="file-loop pipeline-recreate-sec"),
    "source-list": table(
        ints="num-source-bins max-batch-size sgie-batch-size extract-sei-type5-data low-latency-mode",
        flags="dummy-payload custom-ts-to-rfc use-nvmultiurisrcbin stream-name-display "
        "enable-error-propagation",
        texts="list sensor-id-list sensor-name-list batched-sensor-name http-ip http-port sei-uuid conn-str "
        "topic",
        places="proto-lib",
    ),
    "source": {
        **table(
            ints="enable camera-width camera-height camera-fps-n camera-fps-d camera-csi-sensor-id "
            "camera-v4l2-dev-node udp-buffer-size latency num-sources gpu-id num-decode-surfaces "
            "num-extra-surfaces drop-frame-interval camera-id rtsp-reconnect-interval-sec "
            "init-rtsp-reconnect-interval-sec rtsp-reconnect-attempts simulate-fps-interval-ms "
            "cudadec-memtype nvbuf-memory-type select-rtp-protocol set-rtp-protocol leaky max-size-buffers "
            "buffer-mode source-id smart-record smart-rec-video-cache smart-rec-cache smart-rec-container "
            "smart-rec-start-time smart-rec-default-duration smart-rec-duration smart-rec-interval "
            "extract-sei-type5-data copy-hw",
            flags="drop-on-latency intra-decode-enable low-latency-decode",
            texts="uri alsa-device sensorID-padID-mapping video-format smart-rec-file-prefix",
            places="smart-rec-dir-path",
            files="csv-file-path",
        ),
        "type": Key("int", choices=tuple(range(1, 10))),
    },
    "streammux": table(
        ints="compute-hw sort-batch cache-buffer cache-buffer-timeout width height gpu-id frame-duration "
        "buffer-pool-size batched-push-timeout nvbuf-memory-type max-latency num-surfaces-per-frame "
        "extract-sei-type5-data extract-sei-sim-time failsafe-flush-count interpolation-method",
        flags="sync-inputs-ntp enable-padding live-source attach-sys-ts-as-ntp attach-sys-ts sync-inputs "
        "frame-num-reset-on-stream-reset frame-num-reset-on-eos async-process drop-pipeline-eos "
        "align-first-buffer drop-backward-sei",
        files="config-file-path",
        ones="batch-size",
    ),
    "osd": table(
        ints="enable process-mode border-width text-size clock-x-offset clock-y-offset clock-text-size "
        "nvbuf-memory-type gpu-id",
        flags="show-clock display-text display-bbox display-mask",
        texts="font hw-blend-color-attr",
        colors="text-color text-bg-color clock-color border-color",
    ),
    "segvisual": table(ints="enable width height batch-size nvbuf-memory-type gpu-id"),
    "pre-process": table(ints="enable operate-on-gie-id", files="config-file"),
    "gie": table(
        ints="enable plugin-type audio-framesize audio-hopsize audio-input-rate min-crop-size verbose "
        "interval operate-on-gie-id gpu-id nvbuf-memory-type",
        flags="input-tensor-meta",
        lists="operate-on-class-ids",
        places="model-engine-file infer-raw-output-dir",
        files="config-file labelfile-path",
        texts="audio-transform model-variant device backend triton-url triton-model",
        ones="batch-size gie-unique-id",
    ),
    "tracker": table(
        ints="enable tracker-width tracker-height gpu-id tracker-surface-type tracking-surface-type "
        "tracking-id-reset-mode tensor-meta-gie-id compute-hw user-meta-pool-size "
        "sub-batch-err-recovery-trial-cnt enable-batch-process enable-past-frame",
        flags="display-tracking-id input-tensor-meta",
        texts="sub-batches ll-config-file",
        files="ll-lib-file",
        lists="operate-on-class-ids",
    ),
    "visionencoder": table(
        ints="enable batch-size min-crop-size verbose gpu-id skip-interval cache-refresh-interval "
        "cache-max-size",
        flags="smart-infer ofa-predict query-only",
        floats="ofa-motion-threshold ofa-high-motion-threshold",
        texts="model-variant device backend triton-url triton-model embedding-classes",
        places="onnx-model tensorrt-engine",
    ),
    "text-embedder": table(ints="enable", texts="model-name", places="onnx-model-path tokenizer-dir"),
    "replay": table(
        ints="enable label-width label-height interval",
        texts="file-names max-frame-nums",
        places="label-dir",
    ),
    "sink": {
        **table(
            ints="enable width height qos sync nvbuf-memory-type output-io-mode sw-preset bitrate profile "
            "iframeinterval source-id rtsp-port udp-port udp-buffer-size color-range conn-id plane-id "
            "set-mode compute-hw gpu-id msg-broker-comp-id sleep-time",
            flags="link-to-demux nvdslogger show-fps show-latency copy-meta disable-msgconv new-api",
            places="output-file msg-broker-proto-lib msg-broker-config",
            texts="msg-broker-conn-str topic",
        ),
        **_MESSAGES,
        "type": Key("int", choices=(1, 2, 3, 4, 5, 6)),
        "container": Key("int", choices=(1, 2)),
        "codec": Key("int", choices=(1, 2, 3)),
        "enc-type": Key("int", choices=(0, 1)),
    },
    "message-converter": {**table(ints="enable"), **_MESSAGES},
    "message-consumer": table(
        ints="enable",
        places="proto-lib sensor-list-file config-file",
        texts="conn-str subscribe-topic-list",
    ),
    "tiled-display": table(
        ints="enable rows columns width height gpu-id nvbuf-memory-type compute-hw buffer-pool-size",
        flags="square-seq-grid",
    ),
    "img-save": table(
        ints="enable gpu-id second-to-skip-interval min-box-width min-box-height",
        flags="save-img-full-frame save-img-cropped-obj",
        floats="min-confidence max-confidence",
        places="output-folder-path frame-to-skip-rules-path",
    ),
    "nvds-analytics": table(ints="enable", files="config-file"),
    "ds-example": table(
        ints="enable processing-width processing-height unique-id gpu-id nvbuf-memory-type batch-size",
        flags="full-frame blur-objects",
    ),
    "dewarper": table(
        ints="enable gpu-id nvbuf-memory-type num-surfaces-per-frame source-id num-output-buffers",
        files="config-file",
    ),
}
"""Keys by the sort of group."""

_SORTS: Final = (
    (re.compile(r"source-attr-all|source\d*"), "source"),
    (re.compile(r"primary-gie|secondary-gie.*"), "gie"),
    (re.compile(r"secondary-pre-process.*"), "pre-process"),
    (re.compile(r"sink.*"), "sink"),
    (re.compile(r"message-consumer.*"), "message-consumer"),
    (re.compile(r"dewarper\d*"), "dewarper"),
)

NAMES: Final = (
    *(name for name in GROUPS if name not in ("gie", "source", "sink", "dewarper")),
    "primary-gie",
    "secondary-gie0",
    "source0",
    "sink0",
    "dewarper0",
    "source-attr-all",
    "secondary-pre-process0",
)
"""Names of groups, one of each sort."""

_BOX_COLORS: Final = re.compile(r"bbox-(border|bg)-color-?\d*")


def sort_of(name: str) -> str | None:
    """Return the sort of a group by its name, or None where the applications pass it over."""
    for pattern, sort in _SORTS:
        if pattern.fullmatch(name):
            return sort
    return name if name in GROUPS and name not in ("gie",) else None


def key_of(sort: str, name: str) -> Key | None:
    """Return what a key of a group takes, or None where the group has no such key."""
    if sort == "gie" and _BOX_COLORS.fullmatch(name):
        return Key("floats", count=4)
    return GROUPS[sort].get(name)
