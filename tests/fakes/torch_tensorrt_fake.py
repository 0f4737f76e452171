# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A torch-tensorrt for tests: the names, arguments and refusals of 2.14, and engines for the fake TensorRT.

    trt = tensorrt_fake.install(monkeypatch, version="11.1.0.106")
    torch_tensorrt = torch_tensorrt_fake.install(monkeypatch)

What it compiles is the exported program itself, which the fake TensorRT runs in this process; the plan has
the names and shapes of its tensors, as a graph without nodes. Halves are widened for it: the weights stay as
they were rounded, and a CPU computes thirty times as fast.
`torch_tensorrt.calls` has the arguments of every compilation; `refuse` makes the next one fail.
"""

from __future__ import annotations

import json
import struct
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import onnx
import torch
from torch.fx.node import map_aggregate
from torch.utils import _pytree

import tensorrt_fake_build as building
import tensorrt_fake_run as running


class Input:
    """A description of an input; `profiles` has the ranges of each optimization profile in order."""

    def __init__(self, *args, **given):
        if given.get("profiles") is not None:
            if args or {"shape", "min_shape", "opt_shape", "max_shape"} & set(given):
                raise ValueError("`profiles` is mutually exclusive with `shape` / `min_shape` ...")
            for profile in given["profiles"]:
                if set(profile) != {"min_shape", "opt_shape", "max_shape"}:
                    raise ValueError(f"each profile needs min_shape, opt_shape and max_shape, not {profile}")
        self.profiles = given.get("profiles")
        self.dtype = given["dtype"]
        self.name = given.get("name", "")


def install(monkeypatch, *, version="2.14.0"):
    """Make `import torch_tensorrt` give this; return it."""
    module = ModuleType("torch_tensorrt")
    module.__version__ = version
    module.__spec__ = ModuleSpec("torch_tensorrt", None)
    module.Input = Input
    module.calls = []
    module.refuse = None

    def convert(
        exported_program,
        inputs=None,
        *,
        arg_inputs=None,
        device=None,
        disable_tf32=False,
        arg_input_binding_names=None,
        output_binding_names=None,
        **kwargs,
    ):
        assert not kwargs, f"arguments that 2.14 does not know or has deprecated: {sorted(kwargs)}"
        assert (inputs is None) != (arg_inputs is None)
        module.calls.append(SimpleNamespace(program=exported_program, disable_tf32=disable_tf32))
        if module.refuse is not None:
            raise RuntimeError(f"While interpreting the module got an error: {module.refuse}")
        signature = exported_program.module_call_graph[0].signature
        inner = _names(arg_input_binding_names, signature.in_spec.child(0))
        outer = _names(output_binding_names, signature.out_spec)
        return _plan(exported_program, arg_inputs or inputs, inner, outer)

    module.dynamo = SimpleNamespace(convert_exported_program_to_serialized_trt_engine=convert)
    monkeypatch.setitem(sys.modules, "torch_tensorrt", module)
    return module


def _names(given, expected):
    """Return the names in order; they come in the very structure of what they name."""
    leaves, found = _pytree.tree_flatten(given)
    if found != expected:
        raise ValueError(f"binding names have another structure: {found} instead of {expected}")
    return leaves


def _plan(program, inputs, inner, outer):
    (result,) = (node.args[0] for node in program.graph.nodes if node.op == "output")
    given = {each.name: each.profiles[0]["min_shape"] for each in inputs}
    found = {name: node.meta["val"].shape for name, node in zip(outer, result, strict=True)}
    places = [[_port(*item) for item in tensors.items()] for tensors in (given, found)]
    model = onnx.helper.make_model(onnx.helper.make_graph([], "torch", *places)).SerializeToString()
    number = len(running.PROGRAMS)
    running.PROGRAMS[number] = _running(_widened(program.module()), inner, outer)
    trt = sys.modules["tensorrt"]
    shapes = ("min_shape", "opt_shape", "max_shape")
    header = {
        **building._place(trt),
        "name": "torch",
        "program": number,
        "typed": True,
        "profiles": [
            {each.name: [list(each.profiles[number][shape]) for shape in shapes] for each in inputs}
            for number in range(len(inputs[0].profiles))
        ],
        "size": len(model),
    }
    text = json.dumps(header).encode()
    return building.MAGIC + struct.pack("<I", len(text)) + text + model


def _port(name, shape):
    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *map(int, shape[1:])])


def _widened(module):
    """Have an exported module compute in float32 what is written in half."""
    for node in module.graph.nodes:
        node.args, node.kwargs = map_aggregate((node.args, node.kwargs), _wide)
    module.recompile()
    own = {name: tensor.float() for name, tensor in module.state_dict().items()}
    module.load_state_dict(own, assign=True)  # those that it has are the program's
    return module.float()


def _wide(argument):
    return torch.float32 if argument is torch.float16 else argument


def _running(module, inner, outer):
    """Return a function that computes an exported module."""

    def compute(inputs):
        with torch.no_grad():
            results = module(*(torch.from_numpy(inputs[name].copy()) for name in inner))
        return dict(zip(outer, (tensor.numpy() for tensor in _pytree.tree_leaves(results)), strict=True))

    return compute
