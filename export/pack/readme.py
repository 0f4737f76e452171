# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The README of a pack: what to start, on a Jetson and elsewhere, and where the results are."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pamtri_edge.export import deepstream
from pamtri_edge.export.pack import plugin_files
from pamtri_edge.export.pack.application import BROKER, TOPIC
from pamtri_edge.geometry import IMAGE_SIZE
from pamtri_edge.manifest import MODEL_FILE, Manifest
from pamtri_edge.nvinfer import BATCH
from pamtri_edge.printable import counted


def readme(manifest: Manifest, folder: str, sources: Sequence[str]) -> str:
    """Return the README.

    Args:
        manifest: of the bundle.
        folder: what the bundle is called in the pack.
        sources: the videos.
    """
    shape = f"3x{IMAGE_SIZE}x{IMAGE_SIZE}"
    engine = shlex.quote(f"{folder}/engines/{deepstream.engine_name(manifest)}")
    precise = " --noTF32" if manifest.precision == "fp32" else ""
    outputs = ", ".join(f"`{spec.name}`" for spec in manifest.outputs)
    return f"""# {manifest.name} in DeepStream

{counted(len(sources), "source")} -> muxer -> detector -> NvDCF tracker -> {manifest.name} (secondary)
-> window and broker. DeepStream 7.1 to 9.x, on Jetsons (JetPack 6 and 7) and on x86 with an NVIDIA GPU.

## Start it

In this folder, on the device that runs it. First the engine, once (minutes; on a Jetson `trtexec` is in
/usr/src/tensorrt/bin):

```sh
mkdir -p {folder}/engines
trtexec --onnx={folder}/{MODEL_FILE} --stronglyTyped{precise} \\
  --saveEngine={engine} \\
  --minShapes=images:1x{shape} --optShapes=images:{BATCH}x{shape} --maxShapes=images:{BATCH}x{shape}
```

Then the libraries that DeepStream loads, once (seconds; `apt install libgstreamer-plugins-base1.0-dev`):

```sh
make -C {plugin_files.FOLDER}
```

Then one of these.

In a window, on x86 and on a Jetson:

```sh
deepstream-app -c deepstream-app.txt
```

In a window and to Kafka ({BROKER.replace(";", ":")}, topic {TOPIC}), on x86 and on a Jetson; the program
may have to be built from DeepStream's sources/apps/sample_apps/deepstream-test5:

```sh
deepstream-test5-app -c deepstream-test5.txt
```

With Service Maker, on x86; on a Jetson write `nv3dsink` for `nveglglessink` in service-maker.yaml first:

```sh
python3 -c 'from pyservicemaker import Pipeline as P; P("pamtri", "service-maker.yaml").start().wait()'
```

Without a screen: `type=1` in `[sink0]`, `fakesink` in service-maker.yaml.

## Where the results are

{outputs}:
float32, as NVDSINFER_TENSOR_OUTPUT_META on each vehicle (engine id 2) in the frames that it was looked at in.
Keep the last of each track: between two looks nvinfer repeats nothing. Embeddings compare within the space
`{manifest.embedding_space}`.

`{plugin_files.PARSER}` makes labels of color and type; nvinfer shows them and keeps
them on the frames between two looks. deepstream-app and deepstream-test5 have no place for more: there the
embedding stays in the tensor meta, and messages carry vehicle, box, track id and labels.

`{plugin_files.POSTPROCESS}`, behind the engine in an `nvdspostprocess`
(service-maker.yaml has it), puts everything on every frame instead: classifier metas `color` and
`vehicletype`, a user meta PAMTRI_EDGE.REID.VEHICLE ({plugin_files.FOLDER}/vehicle_user_meta.h reads it), the
embedding as NVDS_TRACKER_OBJ_REID_META, and messages for nvmsgconv with embedding, color and type. The looks
of a track are fused by pose quality. {plugin_files.SETTINGS} has its settings.

## Change it

- Cameras: `uri=` in `[sourceN]` (`type=4` for RTSP), one group each; `batch-size` of `[streammux]` and of
  `[primary-gie]` is their number; `live-source=1` for cameras. `msgconv.txt` names them in messages.
- Detector: `config-file` of `[primary-gie]`, and its classes of vehicles in `operate-on-class-ids` of
  `[secondary-gie0]`. NVIDIA's TrafficCamNet stands there, whose class 0 is a car.
- Then `pamtri lint deepstream-app.txt deepstream-test5.txt service-maker.yaml`.
"""
