# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What `pamtri-export --help` says before the options."""

from __future__ import annotations

from typing import Final

HELP: Final = """\
Turn weights into a bundle, and refuse if the exported file is not the network it was made of.

The bundle holds the network as typed ONNX with all that stands around it, golden crops with their
results, class names, DeepStream configuration, and the figures of the comparison with PyTorch (of
--network: with ONNX Runtime on the file as given). The comparison runs the exported file itself on crops,
best on real ones (--crops). If it fails, the command ends with exit code 1 and leaves nothing.

\b
Examples:
  The trained weights that come with the package, in int8, fitted to pictures of your cameras:
    pamtri-export --model lite --precision int8 --calibration crops/ --output lite-int8.pamtri
  Your own weights, or those of the original code, for a Jetson or a workstation GPU:
    pamtri-export --pose pose.pth --reid reid.pth.tar --precision fp16 \\
                  --crops crops/ --output street.pamtri
  For a CPU, fitted to pictures of your own cameras:
    pamtri-export --pose pose.pth --reid reid.pth.tar --precision int8 --calibration crops/
  In int8, and no more than a point of mAP worse than float32 on a labeled set:
    pamtri-export --model lite --precision int8 --calibration train/ --retrieval test/
  Weights trained with the original code, which pads what its pose network sees:
    pamtri-export --pose pose.pth --reid reid.pth.tar --geometry original --flip-test
  On the device that shall run it: also its TensorRT engine, compared with PyTorch like the file:
    pamtri-export --pose pose.pth --reid reid.pth.tar --precision fp16 \\
                  --crops crops/ --engine --profile --output street.pamtri
  A network of another project, as ONNX; fast-reid's normalizes by itself and takes 0 to 255:
    pamtri-export --network osnet.onnx --crops crops/ --output osnet.pamtri
    pamtri-export --network fastreid.onnx --input-scale 1 --output fastreid.pamtri
  The same with keypoints, and with views of a video chosen by how well they are seen:
    pamtri-export --network osnet.onnx --pose pose.pth --output osnet-posed.pamtri
  A folder with which DeepStream runs the bundle of the package, or the one that is exported:
    pamtri-export --deepstream pack --source rtsp://camera/stream
    pamtri-export --reid reid.pth.tar --pose pose.pth --output street.pamtri --deepstream pack
  What would be done, without doing it:
    pamtri-export --pose pose.pth --reid reid.pth.tar --dry-run
"""
"""What the command does, and examples."""
