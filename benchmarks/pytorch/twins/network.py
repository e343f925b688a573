"""Encoders with late fusion: a linear head for each modality, and the mean of their logits."""

import torch
from torch import nn
from torch.nn import functional as F

from .mis_me import MobileNetV2, TabularMlp
from .resnet import ResNet18
from .small import small_audio, small_image
from .transformer import Transformer

ENCODERS = {
    "resnet18": ResNet18,
    "transformer": Transformer,
    "mobilenet-v2": MobileNetV2,
    "tabular-mlp": TabularMlp,
    "small-audio": small_audio,
    "small-image": small_image,
}


class Network(nn.Module):
    """What a description says, {"task", "classes", "modalities": {name: {"encoder", "shape"}}}; shapes have channels last."""

    def __init__(self, description):
        super().__init__()
        modalities = description["modalities"]
        self.encoders = nn.ModuleDict({name: ENCODERS[m["encoder"]](m["shape"]) for name, m in modalities.items()})
        classes = description["classes"]
        self.heads = nn.ModuleDict({name: nn.Linear(e.width, classes) for name, e in self.encoders.items()})

    def forward(self, inputs, batch):
        """Features and logits of every modality, and the fused logits."""
        features = {name: self.encoders[name](x, batch) for name, x in inputs.items()}
        logits = {name: self.heads[name](f) for name, f in features.items()}
        return features, logits, sum(logits.values()) / len(logits)

    def prepare(self, inputs, layout):
        """Inputs as our loaders give them, channels last, to what PyTorch takes."""
        return {name: self.encoders[name].prepare(x, layout) for name, x in inputs.items()}

    def without_dropout(self):
        """Both sides draw other masks: with dropout no losses compare."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            elif isinstance(module, nn.MultiheadAttention):
                module.dropout = 0.0
        return self

    def load(self, tensors):
        """Our initial weights: `encoders.audio.conv1.weight`, `heads.audio.weight`."""
        for name, encoder in self.encoders.items():
            # The counters of batches have no counterpart, and no effect.
            counters = {n: v for n, v in encoder.network.state_dict().items() if n.endswith("num_batches_tracked")}
            encoder.network.load_state_dict(counters | below(tensors, f"encoders.{name}."), strict=True)
            self.heads[name].load_state_dict(below(tensors, f"heads.{name}."), strict=True)


def below(tensors, prefix):
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def task_loss(task, logits, labels):
    """Cross-entropy, or of a regression the squared error of the sigmoid."""
    if task == "regression":
        return F.mse_loss(torch.sigmoid(logits[:, 0]), labels)
    return F.cross_entropy(logits, labels)
