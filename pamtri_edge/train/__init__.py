# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Training of both networks: data, augmentation, recipes, losses, and a loop that survives interruption."""

from pamtri_edge.datasets.data_set import DataSet, Sample, mixed
from pamtri_edge.datasets.parts import read_data, read_pose_csv
from pamtri_edge.train.job import Budget, TrainProgress, TrainSpec
from pamtri_edge.train.loop import Training
from pamtri_edge.train.losses import LossSpec
from pamtri_edge.train.pose import PoseJob
from pamtri_edge.train.recipes import POSE, REID, PoseRecipe, ReidRecipe
from pamtri_edge.train.reid import ReidJob
from pamtri_edge.train.state import TrainingError
from pamtri_edge.words import ReidLoss

__all__ = [
    "POSE",
    "REID",
    "Budget",
    "DataSet",
    "LossSpec",
    "PoseJob",
    "PoseRecipe",
    "ReidJob",
    "ReidLoss",
    "ReidRecipe",
    "Sample",
    "TrainProgress",
    "TrainSpec",
    "Training",
    "TrainingError",
    "mixed",
    "read_data",
    "read_pose_csv",
]
