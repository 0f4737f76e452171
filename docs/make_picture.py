# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Make the picture of the README from the output of `make demo`: python docs/make_picture.py demo-output.

Above a frame of each camera with what was drawn into it, below the two best matches with their poses.
"""

import json
import sys
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 480  # of each half
_FONT = cv2.FONT_HERSHEY_SIMPLEX

Picture = NDArray[np.uint8]


def busiest(path: Path, events: Path) -> Picture:
    """Return the frame of an annotated video in which the most vehicles are, near its middle."""
    spans = [json.loads(line) for line in events.read_text().splitlines()]
    with av.open(str(path)) as container:
        frames = [
            (float(frame.time or 0), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]

    def count(time_s: float) -> tuple[int, float]:
        return sum(one["start_s"] + 0.6 <= time_s <= one["end_s"] - 0.2 for one in spans), -abs(time_s - 4)

    return max(frames, key=lambda frame: count(frame[0]))[1]


def fitted(picture: Picture, width: int, height: int | None = None) -> Picture:
    """Return a picture of a width, and on a ground of a height where one is given."""
    scale = (
        width / picture.shape[1]
        if height is None
        else min(width / picture.shape[1], height / picture.shape[0])
    )
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if height is None:
        return small
    ground = np.full((height, width, 3), 24, np.uint8)
    y, x = (height - size[1]) // 2, (width - size[0]) // 2
    ground[y : y + size[1], x : x + size[0]] = small
    return ground


def written(text: str, width: int) -> Picture:
    """Return a strip with a line of text in its middle."""
    strip = np.full((26, width, 3), 24, np.uint8)
    (long, _), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    cv2.putText(strip, text, ((width - long) // 2, 18), _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return strip


def main() -> None:
    """Make the picture."""
    demo = Path(sys.argv[1])
    cameras = [demo / name for name in ("camera-a", "camera-b")]
    frames = [fitted(busiest(one / "annotated.mp4", one / "events.jsonl"), WIDTH) for one in cameras]
    rows = [np.concatenate(frames, axis=1)]
    for match in json.loads((demo / "matches.json").read_text())["matches"][:2]:
        sides = []
        for camera, track in zip(cameras, (match["track_a"], match["track_b"]), strict=True):
            picture = cv2.imread(str(camera / "annotated" / f"{track}.jpg"))
            sides.append(fitted(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), WIDTH, 150))
        text = f"camera a #{match['track_a']} is camera b #{match['track_b']}: cosine {match['cosine']:.2f}"
        rows += [np.concatenate(sides, axis=1), written(text, 2 * WIDTH)]
    whole = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(Path(__file__).with_name("picture.jpg")), whole, (cv2.IMWRITE_JPEG_QUALITY, 88))


if __name__ == "__main__":
    main()
