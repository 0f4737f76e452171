# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
#
# pamtri on a CPU: docker build --tag pamtri-edge . && docker run --rm --volume "$PWD:/data" pamtri-edge --help

FROM python:3.12-slim-bookworm AS build
# The compiler stays in this stage: the modules in C++ are built here.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++=4:12.* \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN python -m venv /opt/pamtri \
    && /opt/pamtri/bin/pip install --no-cache-dir '.[video,parquet]'

FROM python:3.12-slim-bookworm
COPY --from=build /opt/pamtri /opt/pamtri
ENV PATH="/opt/pamtri/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PAMTRI_CACHE=/tmp/pamtri-edge
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pamtri
WORKDIR /data
USER 10001
# As the first process of a container it would miss a SIGTERM before a run begins, and in most commands.
STOPSIGNAL SIGINT
ENTRYPOINT ["pamtri"]
CMD ["--help"]
