# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""`pamtri-export --deepstream`: a folder with which stock DeepStream runs a bundle."""
