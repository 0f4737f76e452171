# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The training loop: steps, checkpoints, validation, and a record; the same for both networks.

On a CPU the result depends on the configuration alone (and the number of threads), not on how often the
training was interrupted: everything that a step draws follows from the seed and the position in the data.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import torch
from safetensors import SafetensorError
from torch import nn

from pamtri_edge.errors import InputError
from pamtri_edge.files.atomic import sweep
from pamtri_edge.files.claims import Claim
from pamtri_edge.models import save_checkpoint
from pamtri_edge.train import state as states
from pamtri_edge.train.job import Job, TrainProgress, TrainSpec
from pamtri_edge.train.loader import Loader, Pictures, Position
from pamtri_edge.train.machine import computing, network_input, resolved
from pamtri_edge.train.on_device import DeviceLoader
from pamtri_edge.train.optimize import Stepper
from pamtri_edge.train.recipes import plain
from pamtri_edge.train.record import NOT_LOSSES, versions, write_curves, write_record
from pamtri_edge.train.weights import FIRST_WEIGHTS

LAST_FILE: Final = "last.safetensors"
BEST_FILE: Final = "best.safetensors"


@dataclass
class _Run:
    """What changes from step to step, and goes into the state."""

    step: int = 0
    position: Position = field(default_factory=Position)
    spent: float = 0.0
    images: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    counted: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)
    scores: list[dict[str, float]] = field(default_factory=list)
    validated: int = 0
    best: float = -math.inf
    resumed: list[int] = field(default_factory=list)
    done: bool = False


class Training:
    """Trains a network: from its first weights, or from where the output folder says it stopped.

    Args:
        job: what is trained.
        spec: how.

    Raises:
        InputError: the folder holds a training of another configuration, or another process writes to it.
        CheckpointError: the folder's states cannot be read.
    """

    def __init__(self, job: Job, spec: TrainSpec) -> None:
        self.job = job
        self.spec = spec
        self.device = torch.device(spec.device)
        self.precision = resolved(job.recipe.precision, self.device)
        self._config = self._configuration()
        self._run = _Run()
        self._stop = False
        try:
            spec.output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{spec.output} cannot be a folder: {error.strerror or error}.") from error
        self._claim = Claim(spec.output)
        try:
            self._take_up()
        except BaseException:
            self._claim.release()
            raise

    def _take_up(self) -> None:
        """Begin, or go on from the newest state in the folder."""
        spec = self.spec
        sweep(spec.output)
        if spec.overwrite:
            states.remove_states(spec.output)
        found = states.load_state(spec.output)
        if found is not None:
            states.check_same(found, self._config, spec.output)
        job = self.job
        self._modules: dict[str, nn.Module] = {"network": job.network}
        if job.extra is not None:
            self._modules["extra"] = job.extra
        for module in self._modules.values():
            module.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._stepper = Stepper(job.network, job.extra, job.recipe, self.precision, self.device)
        torch.manual_seed(spec.seed)
        if found is not None:
            self._restore(found)

    @property
    def step(self) -> int:
        """Steps done."""
        return self._run.step

    @property
    def finished(self) -> bool:
        """Whether all steps are done; of a training that was finished before, nothing is left to run."""
        return self._run.done

    def stop(self) -> None:
        """Ask for an end after the present step, with a state from which to go on."""
        self._stop = True

    def run(self, *, on_progress: Callable[[TrainProgress], None] | None = None) -> bool:
        """Train to the end, or until `stop` is called; a finished training is left as it is.

        Args:
            on_progress: called after every step.

        Returns:
            Whether the training is finished.

        Raises:
            TrainingError: the loss is no number, or a file cannot be written.
            InputError: a picture cannot be decoded.
        """
        with self._claim:
            if self.finished and (self.spec.output / LAST_FILE).exists():
                return True
            return self._train(on_progress)

    def _train(self, on_progress: Callable[[TrainProgress], None] | None) -> bool:
        run, budget = self._run, self.spec.budget
        self.job.learn()
        loader = self._loader()
        begin = now = saved = time.monotonic()
        before, window = run.spent, [(now, run.images)]
        first = run.step
        batches = loader.batches(run.position, lambda number: self._size(first + number))
        try:
            while not self._stop and budget.progress(run.step, run.spent) < 1.0:
                self._one_step(next(batches))
                now = time.monotonic()
                run.spent = before + now - begin
                window = [*window[-30:], (now, run.images)]
                progress = budget.progress(run.step, run.spent)
                validated = self._validate_if_due(progress)
                if on_progress is not None:
                    on_progress(self._progress(progress, window))
                if validated or self._checkpoint_due(saved):
                    self.save()
                    saved = time.monotonic()
        finally:
            batches.close()
        run.done = budget.progress(run.step, run.spent) >= 1.0
        self.save()
        return run.done

    def _loader(self) -> Loader | DeviceLoader:
        job, spec = self.job, self.spec
        loader = partial(DeviceLoader, device=self.device) if spec.hold else Loader
        return loader(job.data, job.sampler, job.recipe.augment, seed=spec.seed, workers=spec.workers)

    def save(self) -> None:
        """Write weights, record, curves and state, each whole or not at all; the state last."""
        run, folder = self._run, self.spec.output
        self._check_finite()
        with self._writing():
            self._write_weights(LAST_FILE)
            write_record(folder, self._record())
            if run.done or run.validated or len(run.curve) % 10 == 0:
                write_curves(folder, run.curve, run.scores)
        states.save_state(folder, states.State(self._config, run.step, self._content()))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, SafetensorError) as error:
            what = getattr(error, "strerror", None) or error
            raise states.TrainingError(
                f"{self.spec.output} cannot be written: {what}; {states.what_is_kept(self.spec.output)}. "
                "Make room, then give the same command again."
            ) from error

    def _write_weights(self, name: str) -> None:
        path = self.spec.output / name
        save_checkpoint(self.job.network, path, metadata=self._metadata(), overwrite=True)

    def _one_step(self, batch: Pictures) -> None:
        run, recipe = self._run, self.job.recipe
        progress = self.spec.budget.progress(run.step, run.spent)
        pictures = torch.as_tensor(batch.pictures).to(self.device)
        with computing(self.precision, self.device):
            terms = self.job.losses(batch, network_input(pictures, self.precision))
        self._stepper.step(sum(terms.values(), torch.zeros(())), recipe.learning_rate(progress))
        run.step += 1
        run.images += len(batch.indices)
        run.position = batch.position
        run.counted += 1
        for name, term in terms.items():
            run.sums[name] = run.sums.get(name, 0.0) + float(term.detach())
        if run.counted >= self.spec.log_steps:
            self._check_finite()
            run.curve.append(
                {
                    "step": run.step,
                    "progress": progress,
                    "rate": recipe.learning_rate(progress),
                    "size": batch.pictures.shape[1],
                    **self._means(),
                }
            )
            run.sums, run.counted = {}, 0

    def _validate_if_due(self, progress: float) -> bool:
        run = self._run
        due = math.floor(progress * self.spec.validations + 1e-9)
        if due <= run.validated or not self.spec.validations:
            return False
        run.validated = due
        size = self.job.recipe.size(progress)
        self.job.network.eval()
        with torch.no_grad():
            scores = self.job.validate(size, self.precision)
        self.job.learn()
        if scores is None:
            return False
        run.scores.append({"step": run.step, "progress": progress, "size": size, **scores})
        # Scores of smaller pictures say little of the network as it will be used.
        if size == self.job.recipe.size(1.0) and scores["score"] > run.best:
            run.best = scores["score"]
            with self._writing():
                self._write_weights(BEST_FILE)
        return True

    def _size(self, step: int) -> int:
        return self.job.recipe.size(self.spec.budget.progress(step, self._run.spent))

    def _checkpoint_due(self, saved: float) -> bool:
        every = self.spec.checkpoint_steps
        if every is not None:
            return self._run.step % every == 0
        return time.monotonic() - saved >= self.spec.checkpoint_seconds

    def _progress(self, progress: float, window: list[tuple[float, int]]) -> TrainProgress:
        run = self._run
        elapsed = max(window[-1][0] - window[0][0], 1e-9)
        rate = (len(window) - 1) / elapsed
        means = self._means() if run.counted else run.curve[-1] if run.curve else {}
        return TrainProgress(
            run.step,
            progress,
            (window[-1][1] - window[0][1]) / elapsed,
            self.spec.budget.left(run.step, run.spent, rate),
            {name: value for name, value in means.items() if name not in NOT_LOSSES},
            self.job.recipe.size(progress),
            run.scores[-1] if run.scores else {},
        )

    def _means(self) -> dict[str, float]:
        return {name: total / max(self._run.counted, 1) for name, total in self._run.sums.items()}

    def _check_finite(self) -> None:
        bad = [name for name, total in self._run.sums.items() if not math.isfinite(total)]
        if bad:
            raise states.TrainingError(
                f"the loss {bad[0]} is no longer a finite number at step {self._run.step}: the training "
                "diverged. Take a lower learning rate, or clip gradients; the last state is from before."
            )

    def _configuration(self) -> dict[str, Any]:
        configuration: dict[str, Any] = plain(
            {
                "kind": self.job.kind,
                "network": self.job.network.spec,
                "recipe": self.job.recipe,
                "precision": self.precision,
                "budget": self.spec.budget,
                "seed": self.spec.seed,
                "augmented_on": "device" if self.spec.hold else "processor",
                "data": {
                    "name": self.job.data.name,
                    "pictures": len(self.job.data),
                    "vehicles": len(self.job.data.identities),
                    "labels": self.job.data.fingerprint,
                },
                "begun_from": self.job.origin.file,
                **self.job.config(),
            }
        )
        return configuration

    def _metadata(self) -> dict[str, str]:
        run = self._run
        return {
            "trained": "true",
            "recipe": self.job.recipe.name,
            "steps": str(run.step),
            "seed": str(self.spec.seed),
            "data": f"{len(self.job.data)} pictures of {len(self.job.data.identities)} vehicles",
            **({} if self.job.origin.credit is None else {FIRST_WEIGHTS: self.job.origin.credit}),
            **self.job.metadata(),
        }

    def _record(self) -> dict[str, Any]:
        run = self._run
        return {
            "config": self._config,
            "versions": versions(),
            "device": str(self.device),
            "first_weights": plain(self.job.origin),
            "from_scratch": self.job.origin.file is None,
            "steps": run.step,
            "pictures": run.images,
            "seconds": round(run.spent, 1),
            "resumed_at": run.resumed,
            "finished": run.done,
            "best": None if math.isinf(run.best) else run.best,
            "curve": run.curve,
            "scores": run.scores,
        }

    def _content(self) -> dict[str, Any]:
        run = self._run
        return {
            "modules": {name: module.state_dict() for name, module in self._modules.items()},
            "stepper": self._stepper.state(),
            "random": states.random_states(),
            "run": {**vars(run), "position": [run.position.epoch, run.position.batch]},
        }

    def _restore(self, found: states.State) -> None:
        for name, module in self._modules.items():
            module.load_state_dict(found.content["modules"][name])
        self._stepper.load(found.content["stepper"])
        states.restore_random_states(found.content["random"])
        saved = dict(found.content["run"])
        self._run = _Run(position=Position(*saved.pop("position")), **saved)
        self._run.resumed.append(found.step)
