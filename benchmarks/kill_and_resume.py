#!/usr/bin/env python
# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Kill a training at ten random moments, go on each time, and compare with one that nothing befell.

    python benchmarks/kill_and_resume.py [--kills 10] [--steps 300] [--data DIR] [--pose FILE]
                                         [--recipe recipes/lite.toml] [--init imagenet]

Without --data it draws a small set first. With --pose the network takes the keypoints and heatmaps that these
weights find; otherwise pictures alone, as the weights that ship. These were trained with --recipe
recipes/lite.toml --init imagenet. Both trainings run on one CPU thread, because the order of sums may change
with the number of threads. Ends with 1 if a weight differs in a single bit, or the loss curve.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from pamtri_edge import samples
from pamtri_edge.models.state_files import read_state

COMMAND = (sys.executable, "-c", "import pamtri_edge.cli as cli; cli.main()", "train")
VEHICLES, VIEWS = 12, 6


def drawn_set(folder: Path) -> Path:
    """Write drawn vehicles in the layout of VeRi, with colors and types."""
    (folder / "image_train").mkdir(parents=True)
    with (folder / "label_train.csv").open("w", newline="") as file:
        for vehicle in range(1, VEHICLES + 1):
            for view in range(VIEWS):
                drawn = samples.vehicle(vehicle, azimuth=60.0 * view + 7 * vehicle)
                picture = np.where(drawn[..., 3:] > 0, drawn[..., 2::-1], 120).astype(np.uint8)
                name = f"{vehicle:04d}_c{view + 1:03d}_{view:08d}_0.jpg"
                cv2.imwrite(str(folder / "image_train" / name), picture)
                csv.writer(file).writerow([name, vehicle, vehicle % 10 + 1, vehicle % 9 + 1])
    return folder


def command(data: Path, output: Path, steps: int, asked: argparse.Namespace) -> list[str]:
    """Return the command line of the training."""
    options = {
        "--data": data,
        "--output": output,
        "--model": "lite",
        "--recipe": asked.recipe,
        "--steps": steps,
        "--batch": 8,
        "--pictures-per-vehicle": 2,
        "--sizes": "64,96@0.6",
        "--checkpoint-every": 7,
        "--threads": 1,
    }
    inputs = ["--embed", "none", "--no-keypoints"]
    if asked.pose:
        inputs = ["--embed", "heatmaps", "--keypoints", "--pose", str(asked.pose), "--pose-source", "net"]
    if asked.init:
        inputs += ["--init", asked.init]
    return [*COMMAND, "reid", *(str(part) for pair in options.items() for part in pair), *inputs]


def run_to_the_end(line: list[str]) -> float:
    """Run a training to its end; return how many seconds it took."""
    begin = time.monotonic()
    done = subprocess.run(line, capture_output=True, text=True, env=environment())
    if done.returncode:
        raise SystemExit(f"the training failed:\n{done.stderr}")
    return time.monotonic() - begin


def killed(line: list[str], record: Path, after: float) -> bool:
    """Start a training and kill it so many seconds after its first state; False if it ended before that."""
    before = written(record)
    process = subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
    )
    while process.poll() is None and written(record) == before:
        time.sleep(0.01)
    try:
        _, errors = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    if process.returncode:
        raise SystemExit(f"the training failed:\n{errors}")
    return False


def written(record: Path) -> int:
    """Return when a file was last written, in nanoseconds; 0 if it was not."""
    return record.stat().st_mtime_ns if record.exists() else 0


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def compared(whole: Path, broken: Path) -> list[str]:
    """Return what differs between two finished trainings."""
    first, second = (read_state(folder / "last.safetensors")[0] for folder in (whole, broken))
    different = [name for name in first if not torch.equal(first[name], second[name])]
    lines = [f"{len(different)} of {len(first)} tensors differ, {different[0]} first"] if different else []
    curves = [json.loads((folder / "record.json").read_text())["curve"] for folder in (whole, broken)]
    return lines + ([] if curves[0] == curves[1] else ["the loss curves differ"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--data", type=Path, help="a folder in the layout of VeRi")
    parser.add_argument("--pose", type=Path, help="weights of a pose network")
    parser.add_argument("--recipe", default="compact", help="as of `pamtri train reid`")
    parser.add_argument("--init", help="first weights: imagenet, or a file")
    asked = parser.parse_args()
    moments = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as scratch:
        room = Path(scratch)
        data = asked.data or drawn_set(room / "data")
        whole, broken = room / "whole", room / "broken"
        start = run_to_the_end(command(data, room / "start", 1, asked))
        seconds = run_to_the_end(command(data, whole, asked.steps, asked))
        print(f"undisturbed: {asked.steps} steps in {seconds:.1f} s, of which {start:.1f} s to start")
        line = command(data, broken, asked.steps, asked)
        for kill in range(1, asked.kills + 1):
            # On average the kills share half of the training, so that an unlucky draw does not end it.
            after = moments.uniform(0.0, 1.0) * (seconds - start) / (asked.kills + 1)
            if not killed(line, broken / "record.json", after):
                raise SystemExit(
                    f"the training ended before kill {kill}; give more --steps, or another --seed"
                )
            step = json.loads((broken / "record.json").read_text())["steps"]
            print(f"kill {kill}, {after:.2f} s after the first state: the last is of step {step}", flush=True)
        run_to_the_end(line)
        differences = compared(whole, broken)
        resumed = json.loads((broken / "record.json").read_text())["resumed_at"]
        print(f"resumed at steps {resumed}")
    if differences:
        raise SystemExit("; ".join(differences))
    print(f"after {asked.kills} kills: every weight and the whole loss curve equal, bit for bit")


if __name__ == "__main__":
    main()
