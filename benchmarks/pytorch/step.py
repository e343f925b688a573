"""Times one training step of a ResNet-18 pair with late fusion in PyTorch, on random inputs that lie ready in memory.

Prints one JSON object: {"ms": {"min", "median", "p95"}, "peakRssMB", "torch", "threads"}. compare.ts runs it in turn with
`g2d bench step`; it can be run alone: python step.py --dataset crema-d --batch 16 --layout nchw
"""

import argparse
import json
import math
import os
import resource
import statistics
import sys
import time

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

# Of one sample: spectrogram [1, H, W], frames [T, C, H, W]; classes.
DATASETS = {
    "crema-d": ((1, 257, 188), (1, 3, 224, 224), 6),
    "av-mnist": ((1, 112, 112), (1, 1, 28, 28), 10),
    "vgg-sound": ((1, 129, 626), (3, 3, 224, 224), 309),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", choices=DATASETS, default="crema-d")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--method", choices=["joint", "g2d"], default="joint")
    parser.add_argument("--layout", choices=["channels-last", "nchw"], default="channels-last")
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--steps", type=int, default=10, help="steps that are timed")
    parser.add_argument("--warmup", type=int, default=2, help="steps before them, which are not")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def encoder(channels):
    """ResNet-18 for any number of channels, without its classifier: [N, C, H, W] to [N, 512]."""
    network = torchvision.models.resnet18(weights=None)
    network.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    network.fc = nn.Identity()
    return network


class Pair(nn.Module):
    """Two encoders and a linear head for each; the fused logits are the mean of the two."""

    def __init__(self, audio_channels, video_channels, classes):
        super().__init__()
        self.encoders = nn.ModuleDict({"audio": encoder(audio_channels), "video": encoder(video_channels)})
        self.heads = nn.ModuleDict({name: nn.Linear(512, classes) for name in self.encoders})

    def features(self, name, inputs, batch):
        # Frames are samples of the encoder, and the features their mean.
        return self.encoders[name](inputs).view(batch, -1, 512).mean(1)

    def forward(self, inputs):
        batch = inputs["audio"].shape[0]
        features = {name: self.features(name, x, batch) for name, x in inputs.items()}
        logits = {name: self.heads[name](f) for name, f in features.items()}
        return features, logits, (logits["audio"] + logits["video"]) / 2


def distillation(student_logits, teacher_logits):
    """KL divergence from the teacher's classes to the student's, temperature 1."""
    target = F.softmax(teacher_logits, dim=1)
    return F.kl_div(F.log_softmax(student_logits, dim=1), target, reduction="batchmean")


def true_class_scores(logits, labels):
    """Sum over the batch of the probability of the true class."""
    return F.softmax(logits, dim=1).gather(1, labels[:, None]).sum().item()


def suppress_the_most_confident(student, teachers_logits, labels):
    """What the released code does after a full backward pass: multiplies convolution gradients by 0 or 1."""
    scores = {name: true_class_scores(logits, labels) for name, logits in teachers_logits.items()}
    strongest = max(scores, key=scores.get)
    for name, network in student.encoders.items():
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.grad = parameter.grad * (0 if name == strongest else 1)


def main():
    options = arguments()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    audio, video, classes = DATASETS[options.dataset]
    layout = torch.channels_last if options.layout == "channels-last" else torch.contiguous_format

    def pair():
        return Pair(audio[0], video[1], classes).to(memory_format=layout)

    student = pair()
    # Two encoders with their heads are the two teachers.
    teachers = pair().eval() if options.method == "g2d" else None
    inputs = {
        "audio": torch.randn(options.batch, *audio),
        "video": torch.randn(options.batch * video[0], *video[1:]),
    }
    inputs = {name: x.to(memory_format=layout) for name, x in inputs.items()}
    labels = torch.randint(0, classes, (options.batch,))
    optimizer = torch.optim.SGD(student.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)

    def step(index):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.bfloat16):
            features, logits, fused = student(inputs)
            loss = F.cross_entropy(fused, labels)
            if teachers:
                with torch.no_grad():
                    teacher_features, teacher_logits, _ = teachers(inputs)
                for name in inputs:
                    loss = loss + distillation(fused, teacher_logits[name])
                    loss = loss + F.mse_loss(features[name], teacher_features[name])
        loss.item()
        loss.backward()
        # The schedule of the paper modulates in 150 of 300 epochs.
        if teachers and index % 2 == 1:
            suppress_the_most_confident(student, teacher_logits, labels)
        optimizer.step()

    milliseconds = []
    for index in range(options.warmup + options.steps):
        started = time.perf_counter()
        step(index)
        milliseconds.append(1000 * (time.perf_counter() - started))
    timed = sorted(milliseconds[options.warmup :])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = {
        "ms": {
            "min": round(timed[0], 2),
            "median": round(statistics.median(timed), 2),
            "p95": round(timed[math.ceil(0.95 * len(timed)) - 1], 2),
        },
        # macOS counts bytes, Linux units of 1024.
        "peakRssMB": round(peak / 2**20 if sys.platform == "darwin" else peak / 2**10),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
