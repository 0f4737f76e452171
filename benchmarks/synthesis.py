# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How many synthetic pictures a second one core makes, and where the time goes.

`python benchmarks/synthesis.py` builds vehicles, renders views of each and encodes them, in one process with
one thread, as a worker of `pamtri synth` does. Milliseconds are processor time, which neighbors disturb
less than wall time; the stages are measured in a second pass over a part of the views, under a profiler whose
overhead is taken out by scaling to the first.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import cv2
import typer
from machine import Others, describe
from rich.table import Table

from pamtri_edge import console
from pamtri_edge.synth.body.shape import build
from pamtri_edge.synth.specification.vehicle import sample_vehicle
from pamtri_edge.synth.view.prior import camera_prior
from pamtri_edge.synth.view.scene import render_view

RESULTS = Path(__file__).parent / "results"
WANTED = 25.0
"""Images a second on one core."""

STAGES = {
    "camera and crop": (("stage.py", "sample_crop"), ("camera.py", "sample_shot")),
    "rasterize vehicles": (("stage.py", "set_stage"),),
    "draw a light": (("scenery.py", "sample_scenery"),),
    "shade vehicles": (("scenery.py", "shaded"),),
    "street": (("scenery.py", "street_behind"),),
    "compose": (("scenery.py", "composed"),),
    "sensor": (("sensor.py", "take"),),
    "labels": (
        ("labels.py", "visible_by_depth"),
        ("labels.py", "visible_as_veri"),
        ("labels.py", "part_map"),
        ("labels.py", "box_of"),
    ),
}


def main(
    identities: Annotated[int, typer.Option(min=1, help="Vehicles.")] = 10,
    views: Annotated[int, typer.Option(min=1, help="Views of each.")] = 20,
    camera: Annotated[str, typer.Option(help="Camera prior.")] = "veri",
    cameras: Annotated[int, typer.Option(min=1, help="Number of cameras.")] = 20,
    size: Annotated[int, typer.Option(help="Side of the pictures.")] = 256,
    supersampling: Annotated[int, typer.Option(min=1, max=4, help="Samples on a side of a pixel.")] = 2,
    save: Annotated[bool, typer.Option(help="Write the figures into benchmarks/results.")] = True,
) -> None:
    """Print images a second on one core, and milliseconds an image for each stage."""
    cv2.setNumThreads(1)
    prior = camera_prior(camera)
    specs = [sample_vehicle(0, identity) for identity in range(identities + 3)]
    begin = time.process_time()
    meshes = [build(spec) for spec in specs]
    built = (time.process_time() - begin) / len(specs)
    others = list(zip(meshes[identities:], specs[identities:], strict=True))

    def draw(identity: int, view: int) -> int:
        mesh, spec = meshes[identity], specs[identity]
        seen = render_view(
            mesh,
            spec,
            seed=0,
            identity=identity,
            view=view,
            camera=(7 * identity + view) % cameras,
            prior=prior,
            size=size,
            supersampling=supersampling,
            others=others,
        )
        return len(seen.jpeg)

    draw(0, views)  # noise maps and tables, once a process
    count = identities * views
    with Others() as others_running:
        begin, start = time.process_time(), time.perf_counter()
        stored = sum(draw(identity, view) for identity in range(identities) for view in range(views))
        rendered = (time.process_time() - begin) / count
        wall = (time.perf_counter() - start) / count
    stages = profile(draw, identities, max(1, views // 4), rendered)
    per_image = rendered + built / views
    report(stages, built, views, rendered, per_image, wall, stored / count)
    if warning := others_running.warning():
        console.err.print(warning)
    if save:
        figures = {
            "identities": identities,
            "views": views,
            "prior": camera,
            "cameras": cameras,
            "size": size,
            "supersampling": supersampling,
            "build_ms": 1e3 * built,
            "view_ms": 1e3 * rendered,
            "view_wall_ms": 1e3 * wall,
            "images_per_second": 1.0 / per_image,
            "others_share": others_running.share,
            "stages_ms": stages,
        }
        write(figures)
    if 1.0 / per_image < WANTED:
        console.err.print(f"below the {WANTED:g} images a second that are wanted")
        raise typer.Exit(1)


def profile(
    draw: Callable[[int, int], int], identities: int, views: int, rendered: float
) -> dict[str, float]:
    """Return milliseconds an image for each stage."""
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for identity in range(identities):
        for view in range(views):
            draw(identity, view)
    profiler.disable()
    spent = {(Path(file).name, name): row[3] for (file, _, name), row in pstats.Stats(profiler).stats.items()}
    whole = spent["scene.py", "render_view"]
    stages = {
        stage: 1e3 * rendered * sum(spent.get(part, 0.0) for part in parts) / whole
        for stage, parts in STAGES.items()
    }
    stages["the rest, with JPEG"] = 1e3 * rendered - sum(stages.values())
    return stages


def report(
    stages: dict[str, float],
    built: float,
    views: int,
    rendered: float,
    per_image: float,
    wall: float,
    stored: float,
) -> None:
    """Print the table."""
    table = Table(title="Synthesis on one core, CPU milliseconds an image")
    table.add_column("stage")
    table.add_column("ms", justify="right")
    for stage, milliseconds in stages.items():
        table.add_row(stage, f"{milliseconds:.2f}")
    table.add_row("a view", f"{1e3 * rendered:.2f}", style="bold")
    table.add_row(f"build {1e3 * built:.1f} ms / {views} views", f"{1e3 * built / views:.2f}")
    table.add_row("an image", f"{1e3 * per_image:.2f}", style="bold")
    console.out.print(table)
    console.out.print(
        f"{1.0 / per_image:.1f} images/s a core (wall time of a view {1e3 * wall:.1f} ms, "
        f"{stored / 1e3:.1f} kB an image)"
    )


def write(figures: dict[str, object]) -> None:
    """Write the figures beside those of other machines."""
    now = datetime.now(timezone.utc)
    data = {
        "command": " ".join(["benchmarks/synthesis.py", *sys.argv[1:]]),
        "time": now.isoformat(timespec="seconds"),
        "machine": describe(),
        **figures,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"synthesis-{now:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    typer.run(main)
