# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Describe vehicles of a whole frame: python examples/frame.py frame.jpg 120,80,310,220 --output new.png."""

import argparse

import cv2

from pamtri_edge import Reidentifier


def main() -> None:
    """Run the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frame")
    parser.add_argument("boxes", nargs="+", help="x1,y1,x2,y2 in pixels")
    parser.add_argument("--output", default="drawn.png")
    asked = parser.parse_args()
    boxes = [[float(side) for side in box.split(",")] for box in asked.boxes]
    frame = cv2.imread(asked.frame)  # BGR, as OpenCV reads
    with Reidentifier.load() as reid:
        found = reid.embed_frame(frame, boxes, color_order="bgr")
    for vehicle in found:
        print(vehicle)
        for x, y, confidence in [] if vehicle.keypoints is None else vehicle.keypoints:
            if confidence >= 0.5:  # keypoints come in pixels of the frame
                cv2.circle(frame, (round(float(x)), round(float(y))), 3, (0, 160, 255), -1)
    cv2.imwrite(asked.output, frame)


if __name__ == "__main__":
    main()
