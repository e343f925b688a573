"""G2D as its released code trains: teachers, distillation, gradients multiplied by 0 or 1."""

import torch
from torch import nn
from torch.nn import functional as F


def distillation(task, features, fused, teachers):
    """For each teacher, the divergence of the fused logits and the squared error of its modality's features."""
    loss = 0
    for name, teacher in teachers.items():
        loss = loss + F.mse_loss(features[name], teacher["features"])
        if task == "regression":
            loss = loss + F.mse_loss(torch.sigmoid(fused), torch.sigmoid(teacher["logits"]))
        else:
            target = F.softmax(teacher["logits"], dim=1)
            loss = loss + F.kl_div(F.log_softmax(fused, dim=1), target, reduction="batchmean")
    return loss


def confidence(task, logits, labels):
    """What ranks the teachers: the true class's probability, or of a regression how small its error is."""
    if task == "regression":
        return -F.mse_loss(torch.sigmoid(logits[:, 0]), labels).item()
    return F.softmax(logits, dim=1).gather(1, labels[:, None]).mean().item()


def suppress(student, teachers, task, labels, scope):
    """After a full backward pass, multiplies gradients by 0 or 1: the least confident modality trains alone."""
    scores = {name: confidence(task, teacher["logits"], labels) for name, teacher in teachers.items()}
    prioritized = min(scores, key=scores.get)
    for name, encoder in student.encoders.items():
        for module in encoder.modules():
            if scope == "conv" and not isinstance(module, (nn.Conv1d, nn.Conv2d)):
                continue
            for parameter in module.parameters(recurse=False):
                if parameter.grad is not None:
                    parameter.grad = parameter.grad * (1 if name == prioritized else 0)


def stored_teachers(student, batch, classes, labels, task, prioritized):
    """Outputs that were computed before; the prioritized modality's teacher is the least sure."""
    outputs = {}
    for name, encoder in student.encoders.items():
        if task == "regression":
            logits = torch.full((batch, 1), -8.0) if name == prioritized else torch.logit(labels)[:, None]
        else:
            logits = torch.zeros(batch, classes) if name == prioritized else 8.0 * F.one_hot(labels, classes)
        outputs[name] = {"logits": logits, "features": torch.rand(batch, encoder.width)}
    return outputs


def running_teachers(network, inputs, batch):
    """Frozen networks that run in every step, as the released code's."""
    with torch.no_grad():
        features, logits, _ = network(inputs, batch)
    return {name: {"logits": logits[name], "features": features[name]} for name in inputs}
