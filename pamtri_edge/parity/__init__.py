# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Is a file, an engine or a bundle still the network that it was made of? No torch is needed."""
