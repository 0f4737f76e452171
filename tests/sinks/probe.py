# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""probe.py URI [SPOOL [FORMAT]]: what sink_probe.cpp does, through what `pamtri run` sends with."""

import json
import logging
import sys

from pamtri_edge.errors import PamtriError
from pamtri_edge.sinks.sink import EventSink

COUNTS = ("posted", "earlier", "sent", "acknowledged", "spooled", "dropped")


def main(uri, spool="", payload_format="json"):
    sink = EventSink(uri, payload_format=payload_format, spool=spool or None)
    for posted, line in enumerate(sys.stdin):
        key, _, payload = line.rstrip("\n").partition("\t")
        sink.post_encoded(key, payload.encode())
        print(f"posted {posted}", flush=True)
    sink.flush(sink.patience_s)
    report = sink.close()
    print("report " + json.dumps({name: getattr(report, name) for name in COUNTS}), flush=True)


logging.basicConfig(format="%(message)s")
try:
    main(*sys.argv[1:])
except PamtriError as error:
    sys.exit(str(error))
