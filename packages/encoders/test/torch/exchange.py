"""The other side of checkpoints.pytorch.ts: python exchange.py FOLDER

Loads every `ours-*.safetensors` of the folder with strict=True and writes what the network computes to
`ours-outputs.safetensors`; saves networks of its own as `theirs-*.pth` and what they compute to
`theirs-outputs.safetensors`. The inputs are in `inputs.safetensors`.
"""

import sys
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

FOLDER = Path(sys.argv[1])


def resnet(channels, classifier=False):
    network = torchvision.models.resnet18(weights=None)
    network.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    if not classifier:
        network.fc = nn.Identity()
    return network


def mobilenet(classifier=False):
    network = torchvision.models.mobilenet_v2(weights=None)
    if not classifier:
        network.classifier = nn.Identity()
    return network


class Teacher(nn.Module):
    """As the released code's AVClassifier for one modality."""

    def __init__(self):
        super().__init__()
        self.net = resnet(1)
        self.classifier = nn.Linear(512, 6)

    def forward(self, x):
        return self.classifier(self.net(x))


class Student(nn.Module):
    """As the released code's AVClassifier for two modalities."""

    def __init__(self):
        super().__init__()
        self.fusion_module = nn.ModuleDict({"fc_x": nn.Linear(512, 6), "fc_y": nn.Linear(512, 6)})
        self.audio_net = resnet(1)
        self.visual_net = resnet(3)


class Text(nn.Module):
    """A linear map of every step, Transformer layers, the first step."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(20, 16, 1, bias=False)
        self.layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), 2).layers

    def forward(self, x):
        h = self.conv(x.transpose(1, 2)).transpose(1, 2)
        for layer in self.layers:
            h = layer(h)
        return h[:, 0].contiguous()


def weather():
    blocks = []
    for inputs, units, dropout in ((8, 256, 0.3), (256, 128, 0.2), (128, 64, 0.1), (64, 32, 0), (32, 16, 0)):
        blocks += [nn.Linear(inputs, units), nn.BatchNorm1d(units), nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
    return nn.Sequential(*blocks)


NETWORKS = {
    "audio": lambda: resnet(1),
    "image": lambda: resnet(3),
    "mobile": mobilenet,
    "teacher": Teacher,
    "text": Text,
    "weather": weather,
}


def randomize(network):
    """Running statistics too, which begin with constants."""
    for name, tensor in network.state_dict().items():
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        elif name.endswith("running_var"):
            tensor.uniform_(0.8, 1.2)
    return network.eval()


@torch.no_grad()
def main():
    inputs = load_file(FOLDER / "inputs.safetensors")
    outputs = {}
    for name, build in NETWORKS.items():
        network = build().eval()
        state = load_file(FOLDER / f"ours-{name}.safetensors")
        print(name, network.load_state_dict(state, strict=True))
        outputs[name] = network(inputs[name])
    # The bare sequence inside of MobileNetV2, too.
    features = {name.removeprefix("features."): t for name, t in load_file(FOLDER / "ours-mobile.safetensors").items()}
    print("mobile features", mobilenet().features.load_state_dict(features, strict=True))
    save_file(outputs, FOLDER / "ours-outputs.safetensors")

    outputs = {}
    for name, build in NETWORKS.items():
        network = randomize(build())
        torch.save(network.state_dict(), FOLDER / f"theirs-{name}.pth")
        outputs[name] = network(inputs[name])
    # With classifiers, as torchvision's files of ImageNet weights; saved as before PyTorch 1.6.
    network = randomize(resnet(3, classifier=True))
    torch.save(network.state_dict(), FOLDER / "theirs-imagenet.pth", _use_new_zipfile_serialization=False)
    network.fc = nn.Identity()
    outputs["imagenet"] = network(inputs["image"])
    network = randomize(mobilenet(classifier=True))
    torch.save(network.state_dict(), FOLDER / "theirs-imagenet-mobile.pth", _use_new_zipfile_serialization=False)
    network.classifier = nn.Identity()
    outputs["imagenet-mobile"] = network(inputs["mobile"])
    student = randomize(Student())
    torch.save({"model": nn.DataParallel(student).state_dict(), "epoch": 3}, FOLDER / "theirs-student.pth")
    outputs["student-audio"] = student.audio_net(inputs["audio"])
    outputs["student-image"] = student.visual_net(inputs["image"])
    save_file(randomize(resnet(3)).half().state_dict(), FOLDER / "theirs-half.safetensors")
    # Names are there, shapes are not.
    torch.save(torchvision.models.resnet50(weights=None).state_dict(), FOLDER / "theirs-resnet50.pth")
    # Names and shapes are there, and more.
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), FOLDER / "theirs-resnet34.pth")
    save_file(outputs, FOLDER / "theirs-outputs.safetensors")


torch.manual_seed(0)
main()
