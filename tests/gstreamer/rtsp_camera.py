# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A camera with RTSP, of GStreamer's server: rtsp://127.0.0.1:PORT/camera, of noise in H.264.

python rtsp_camera.py PORT
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - versions are chosen first

FORM = "video/x-raw,format=I420,width=320,height=240,framerate=25/1"


def main() -> None:
    """Serve until the process is ended."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(
        f"( videotestsrc is-live=true pattern=snow ! {FORM} ! "
        "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 )"
    )
    factory.set_shared(True)
    server.get_mount_points().add_factory("/camera", factory)
    if server.attach(None) == 0:
        sys.exit(f"port {sys.argv[1]} is taken")
    print("serving", flush=True)
    GLib.MainLoop().run()


main()
