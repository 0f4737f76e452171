# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A small web service: python examples/service.py, then curl --data-binary @car.jpg localhost:8000."""

import argparse
import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

from pamtri_edge import Reidentifier
from pamtri_edge.errors import PamtriError

LARGEST = 10_000_000  # bytes of a picture


def serve(reid: Reidentifier, port: int) -> ThreadingHTTPServer:
    """Return a server at this machine that answers a posted picture with its vehicle as JSON."""

    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        def do_POST(self) -> None:
            """Answer a posted picture."""
            size = int(self.headers.get("Content-Length", 0))
            data = self.rfile.read(min(size, LARGEST))
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
            try:
                status, answer = 200, reid.embed([picture], color_order="bgr").to_dicts()[0]
            except PamtriError as error:  # no picture, or one that cannot be used
                status, answer = 400, {"error": str(error)}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return ThreadingHTTPServer(("localhost", port), Handler)


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    asked = parser.parse_args()
    with Reidentifier.load() as reid, serve(reid, asked.port) as server:
        print(f"listening on localhost:{asked.port}; Ctrl-C ends it")
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
