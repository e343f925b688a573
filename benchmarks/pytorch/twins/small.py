"""The two small encoders of the small AV-MNIST: what `npm start` trains."""

from torch import nn
from torch.nn import functional as F


class ConvBlock(nn.Conv2d):
    """Convolution without bias, batch normalization, ReLU."""

    def __init__(self, inputs, filters, **window):
        super().__init__(inputs, filters, bias=False, **window)
        self.bn = nn.BatchNorm2d(filters)

    def forward(self, x):
        return F.relu(self.bn(super().forward(x)))


class SmallEncoder(nn.Module):
    """Blocks in a row, then the mean over height and width; of a map of 1 x 1 that is the map itself."""

    def __init__(self, blocks):
        super().__init__()
        self.network = nn.Sequential()
        for index, block in enumerate(blocks):
            self.network.add_module(f"conv{index + 1}", block)
        self.width = blocks[-1].out_channels

    def prepare(self, x, layout):
        return x.permute(0, 3, 1, 2).contiguous(memory_format=layout)

    def forward(self, x, batch):
        return self.network(x).mean((2, 3))


def small_audio(shape):
    """[B, H, W, C] to [B, 64]; the last window is as large as what is left of the input."""
    height, width, channels = shape
    for _ in range(3):
        height, width = (height + 1) // 2, (width + 1) // 2
    return SmallEncoder(
        [
            ConvBlock(channels, 8, kernel_size=5, stride=2, padding=2),
            ConvBlock(8, 16, kernel_size=3, stride=2, padding=1),
            ConvBlock(16, 32, kernel_size=3, stride=2, padding=1),
            ConvBlock(32, 64, kernel_size=(height, width)),
        ]
    )


def small_image(shape):
    """[B, H, W, C] to [B, 32]."""
    return SmallEncoder(
        [
            ConvBlock(shape[-1], 8, kernel_size=5, stride=2, padding=2),
            ConvBlock(8, 16, kernel_size=3, stride=2, padding=1),
            ConvBlock(16, 32, kernel_size=3, padding=1),
        ]
    )
