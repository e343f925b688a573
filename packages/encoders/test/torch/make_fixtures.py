"""Writes the checkpoints beside this file with PyTorch, and what they hold to expected.json:

    python make_fixtures.py && npx prettier --write expected.json

Made with PyTorch 2.4.1, torchvision 0.19.1 and safetensors 0.8.0 on Python 3.11. Running it again gives files of the same content, not of the
same bytes (zip archives get a serialization id, legacy files the addresses of their storages). The neighbours were made with PyTorch 2.15.0.
"""

import argparse
import collections
import ctypes
import datetime
import io
import json
import os
import pickle
import random
import struct
import sys
import types
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path, PurePosixPath

import numpy
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
expected = {}


def numbers(tensor):
    return tensor.detach().to(torch.float32).flatten().tolist()


def describe(tensors):
    return {name: {"shape": list(t.shape), "values": numbers(t)} for name, t in tensors.items()}


def save(name, content, tensors=None, legacy=False, **options):
    torch.save(content, HERE / name, _use_new_zipfile_serialization=not legacy, **options)
    # PyTorch itself must be able to read it.
    torch.load(HERE / name, weights_only=False)
    if tensors is not None:
        expected[name] = describe(tensors)


def randomize(module):
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif tensor.is_floating_point():
            tensor.normal_()
    return module.eval()


class ImageNet(nn.Module):
    """One of each layer of a convolutional encoder, in the order of a network."""

    def __init__(self, channels=2):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 3, (2, 3), bias=False)
        self.bn1 = nn.BatchNorm2d(3)
        # Two outputs for each input channel.
        self.layer1 = nn.Sequential(nn.Conv2d(3, 6, (2, 1), groups=3), nn.BatchNorm2d(6))

    def forward(self, x):
        return self.layer1(torch.relu(self.bn1(self.conv1(x)))).mean(dim=(2, 3))


class SequenceNet(nn.Module):
    """One of each layer of a sequence encoder."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 2)
        layer = nn.Module()
        layer.self_attn = nn.MultiheadAttention(4, 2, batch_first=True)
        layer.norm1 = nn.LayerNorm(4)
        self.layers = nn.ModuleList([layer])

    def forward(self, x):
        h = self.conv(x.transpose(1, 2)).transpose(1, 2)
        attention = self.layers[0].self_attn
        projected = nn.functional.linear(h, attention.in_proj_weight, attention.in_proj_bias)
        return self.layers[0].norm1(attention.out_proj(projected[..., :4]))


class Teacher(nn.Module):
    """The released code's AVClassifier with one modality."""

    def __init__(self):
        super().__init__()
        self.net = ImageNet()
        self.classifier = nn.Linear(6, 2)

    def forward(self, x):
        return self.classifier(self.net(x))


class Student(nn.Module):
    """The released code's AVClassifier with two modalities."""

    def __init__(self, audio, visual):
        super().__init__()
        self.fusion_module = nn.ModuleDict({"fc_x": nn.Linear(6, 2), "fc_y": nn.Linear(6, 2)})
        self.audio_net = ImageNet(audio)
        self.visual_net = ImageNet(visual)


def networks():
    image, sequence, teacher = randomize(ImageNet()), randomize(SequenceNet()), randomize(Teacher())
    x = torch.randn(2, 2, 4, 5)
    steps = torch.randn(2, 3, 3)
    for name, module, inputs in (("image", image, x), ("teacher", teacher, x), ("sequence", sequence, steps)):
        save(f"{name}.pth", module.state_dict(), module.state_dict())
        # Channels last, as the models here take them.
        channels_last = inputs.permute(0, 2, 3, 1) if inputs.dim() == 4 else inputs
        outputs = module(inputs)
        expected[f"{name}.pth:forward"] = describe({"input": channels_last, "output": outputs})
    save("image-legacy.pth", image.state_dict(), image.state_dict(), legacy=True)
    save_file(image.state_dict(), HERE / "image.safetensors")
    expected["image.safetensors"] = describe(image.state_dict())
    save("data-parallel.pth", nn.DataParallel(teacher).state_dict(), nn.DataParallel(teacher).state_dict())

    student = randomize(Student(1, 2))
    save("student.pth", student.state_dict(), student.state_dict())
    student = randomize(Student(2, 2))
    save("student-alike.pth", student.state_dict())

    larger = randomize(ImageNet())
    larger.layer1.append(nn.Conv2d(6, 6, 1))
    save("larger.pth", larger.state_dict())

    optimizer = torch.optim.Adam(image.parameters())
    image(x).sum().backward()
    before = {name: tensor.clone() for name, tensor in image.state_dict().items()}
    optimizer.step()
    save(
        "training.pth",
        {
            "epoch": 3,
            "model": before,
            "optimizer": optimizer.state_dict(),
            "best": {"accuracy": 76.5, "epoch": None, "name": "größte", "done": False},
            "numbers": [-1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**40, -(2**62), 10**20, 0.1, True],
            "device": torch.device("cuda", 0),
            "size": torch.Size([2, 3]),
        },
    )


def encodings():
    content = {"a": {"b.c": torch.arange(6.0).reshape(2, 3)}, "n": [1, -70000, 2**40, True, None, 0.5, "t" * 300]}
    tensors = {"a.b.c": content["a"]["b.c"]}
    for protocol in range(1, 6):
        save(f"protocol-{protocol}.pth", content, tensors, pickle_protocol=protocol)
        save(f"protocol-{protocol}-legacy.pth", content, tensors, legacy=True, pickle_protocol=protocol)
    # PyTorch writes protocol 0 but cannot load it.
    torch.save(content, HERE / "refused-protocol-0.pth", pickle_protocol=0)

    values = [0, 1, 2, 3, 100]
    types = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
    tensors = {name: torch.tensor(values).to(getattr(torch, name)) for name in types}
    tensors["float16"] = torch.tensor([1e-7, 65504.0, 1 / 3, -2.5]).half()
    tensors["float64"] = torch.tensor([0.1, -1e30, 1e-40], dtype=torch.float64)
    tensors["int64"] = torch.tensor(-(2**40))
    save("types.pth", tensors, tensors)
    save("types-legacy.pth", tensors, tensors, legacy=True)
    save_file(tensors, HERE / "types.safetensors")
    expected["types.safetensors"] = describe(tensors)

    shared = torch.arange(24.0).reshape(2, 3, 4)
    tensors = {
        "whole": shared,
        "permuted": shared.permute(2, 0, 1),
        "slice": shared[:, 1:, ::2],
        "row": shared[1, 2],
        "last": shared[1, 2, 3],
        "expanded": torch.tensor([[7.0], [8.0]]).expand(2, 3),
        "empty": torch.zeros(0, 3),
        "channels_last": torch.arange(16.0).reshape(1, 4, 2, 2).to(memory_format=torch.channels_last),
        "parameter": nn.Parameter(torch.ones(2)),
    }
    save("views.pth", tensors, tensors)
    save("views-legacy.pth", tensors, tensors, legacy=True)
    save("tensor.pth", torch.tensor([1.0, 2.0]), {"": torch.tensor([1.0, 2.0])})

    members = unzip(HERE / "types.pth")
    sizes = {"bool": 1, "uint8": 1, "int8": 1, "int16": 2, "int32": 4, "int64": 8, "float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
    for key, name in enumerate(types):
        data, size = members[f"types/data/{key}"], sizes[name]
        members[f"types/data/{key}"] = b"".join(data[i : i + size][::-1] for i in range(0, len(data), size))
    members["types/byteorder"] = b"big"
    rezip("types-big-endian.pth", members)
    little = torch.load(HERE / "types.pth", weights_only=True)
    for name, tensor in torch.load(HERE / "types-big-endian.pth", weights_only=True).items():
        assert torch.equal(tensor, little[name]), name
    expected["types-big-endian.pth"] = expected["types.pth"]


def old_pytorch():
    """As PyTorch 0.3 wrote on Python 2: views of storages, `_rebuild_tensor`, `Parameter` with state, byte strings."""

    def named(module, name):
        return f"c{module}\n{name}\n".encode()

    def text(value):
        return b"U" + bytes([len(value)]) + value.encode()

    def number(value):
        return b"K" + bytes([value])

    def tuple_(*items):
        return b"(" + b"".join(items) + b"t"

    def storage(view):
        return tuple_(text("storage"), named("torch", "FloatStorage"), text("94"), text("cpu"), number(6), view) + b"Q"

    def tensor(view, offset, shape, strides):
        rebuild = named("torch._utils", "_rebuild_tensor")
        return rebuild + tuple_(storage(view), number(offset), tuple_(*map(number, shape)), tuple_(*map(number, strides))) + b"R"

    def parameter(data):
        hooks = named("collections", "OrderedDict") + tuple_(b"]") + b"R"
        return named("torch.nn.parameter", "Parameter") + tuple_(data) + b"R" + tuple_(b"I01\n", b"I00\n", hooks) + b"b"

    view = tuple_(text("95"), number(2), number(4))
    entries = [("plain", tensor(b"N", 0, [2, 3], [3, 1])), ("view", parameter(tensor(view, 1, [3], [1])))]
    pairs = b"]" + b"".join(b"](" + text(key) + value + b"ea" for key, value in entries)
    content = b"\x80\x02" + named("collections", "OrderedDict") + tuple_(pairs) + b"R."
    file = io.BytesIO()
    for item in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}):
        pickle.dump(item, file, protocol=2)
    file.write(content)
    pickle.dump(["94"], file, protocol=2)
    file.write(struct.pack("<q6f", 6, 0, 1, 2, 3, 4, 5))
    (HERE / "old-pytorch.pth").write_bytes(file.getvalue())
    loaded = torch.load(HERE / "old-pytorch.pth", weights_only=False)
    assert isinstance(loaded["view"], nn.Parameter)
    expected["old-pytorch.pth"] = describe(loaded)


def unzip(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(name, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(HERE / name, "w", compression) as archive:
        for member, data in members.items():
            # Without the time of day.
            archive.writestr(zipfile.ZipInfo(member), data, compression)


class Run:
    """Unpickling calls the function."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def refused():
    tensor = torch.ones(2)

    def save_unread(name, content, **options):
        torch.save(content, HERE / name, **options)

    save_unread("refused-system.pth", {"w": tensor, "x": Run(os.system, "exit 1")})
    save_unread("refused-system-4.pth", {"w": tensor, "x": Run(os.system, "exit 1")}, pickle_protocol=4)
    save_unread("refused-eval.pth", {"w": tensor, "x": Run(eval, "1 / 0")}, _use_new_zipfile_serialization=False)
    save_unread("refused-getattr.pth", {"w": tensor, "x": Run(getattr, tensor, "shape")})
    save_unread("refused-ctypes.pth", {"w": tensor, "x": Run(ctypes.CDLL, "libc.so.6")})
    save_unread("refused-module.pth", nn.Linear(2, 2))
    program = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), program)
    # Without the paths of the machine's source files.
    members = {name: data for name, data in unzip(program).items() if not name.endswith(".debug_pkl")}
    rezip("refused-torchscript.pth", members)
    members = unzip(HERE / "protocol-2.pth")
    rezip("refused-deflated.pth", members, zipfile.ZIP_DEFLATED)
    rezip("refused-no-checkpoint.pth", {"readme.txt": b"not a checkpoint"})


class Own:
    """A class that nobody knows."""


def neighbours():
    """Weights beside all that trainings save, and tensors of kinds that are not read."""
    weight = torch.arange(6.0).reshape(2, 3)
    parameter = nn.Parameter(torch.tensor([7.0, 8.0]))
    parameter.attribute = "its own"
    optimizer = torch.optim.SGD([parameter], lr=0.1)
    readable = {
        "weight": weight,
        "parameter": parameter,
        "uint16": torch.tensor([1, 65535], dtype=torch.uint16),
        "uint32": torch.tensor([1, 2**31], dtype=torch.uint32),
        "uint64": torch.tensor([1, 2**40], dtype=torch.uint64),
        "float8_e4m3fn": torch.tensor([1.5, -448.0, 2**-9]).to(torch.float8_e4m3fn),
        "float8_e5m2": torch.tensor([1.5, -57344.0, 2**-16]).to(torch.float8_e5m2),
    }
    unreadable = {
        "sparse": torch.eye(2).to_sparse(),
        "csr": torch.eye(2).to_sparse_csr(),
        "quantized": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "per_channel": torch.quantize_per_channel(torch.ones(2, 1), torch.ones(2), torch.zeros(2), 0, torch.quint8),
        "complex": torch.tensor([1 + 2j]),
        "complex128": torch.tensor([1 + 2j], dtype=torch.complex128),
        "negative": torch._neg_view(torch.ones(2)),
        "meta": torch.empty(2, 3, device="meta"),
    }
    defaultdict = collections.defaultdict(list)
    defaultdict["inside"] = torch.ones(1)
    beside = {
        "scheduler": torch.optim.lr_scheduler.MultiStepLR(optimizer, [1, 1, 5]).state_dict(),
        "counter": Counter("aab"),
        "defaultdict": defaultdict,
        "deque": collections.deque([1.0, 2.0], maxlen=3),
        "types": [torch.float32, torch.bfloat16, torch.uint16, torch.complex64, torch.float8_e5m2],
        "layouts": [torch.strided, torch.sparse_coo],
        "device": torch.device("cuda", 1),
        "size": torch.Size([2, 3]),
        "sets": [{1, 2}, frozenset([3]), set()],
        "bytes": [b"", b"bytes", bytearray(b"array"), bytearray()],
        "complex number": 1 - 2j,
        "numpy": [numpy.float64(0.5), numpy.bool_(True), numpy.arange(3), numpy.array(["text", "b"]), numpy.float32],
        "states": [random.getstate()[1][:3], numpy.random.get_state()[:1], numpy.random.get_state()[1][:3]],
        "arguments": argparse.Namespace(lr=0.1, weight=torch.ones(1)),
        "paths": [Path("/data/a.wav"), PurePosixPath("a/b")],
        "time": [datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.timedelta(seconds=1)],
        "slice": [slice(1, 2), range(3)],
    }
    content = {**readable, **unreadable, **beside}
    tensors = {**readable, "defaultdict.inside": torch.ones(1)}
    for protocol in (2, 4, 5):
        save(f"neighbours-{protocol}.pth", content, tensors, pickle_protocol=protocol)
    # PyTorch itself cannot load these types from the old form.
    new = [name for name in readable if name.startswith(("uint", "float8"))]
    content = {name: value for name, value in content.items() if name not in new}
    save("neighbours-legacy.pth", content, {k: v for k, v in tensors.items() if k not in new}, legacy=True)
    Own.__module__ = "own"
    Own.__qualname__ = "Own"
    sys.modules["own"] = types.SimpleNamespace(Own=Own)
    torch.save({"w": weight, "model": Own()}, HERE / "refused-own-class.pth")


def torchvision_shapes(network):
    """Names and shapes, without the counters that plain BatchNorm does not use."""
    state = network(weights=None).state_dict()
    return {name: list(tensor.shape) for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


torch.manual_seed(0)
networks()
encodings()
old_pytorch()
refused()
neighbours()
for network in (torchvision.models.resnet18, torchvision.models.mobilenet_v2):
    expected[f"{network.__name__}:shapes"] = torchvision_shapes(network)
(HERE / "expected.json").write_text(json.dumps(expected) + "\n")
