# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Files, read and written with care: none half written, none read that is no file, none left behind."""
