"""The Transformer of UR-FUNNY and IEMOCAP: PyTorch's own layers, and of their output the first step."""

from torch import nn

WIDTH = 768


class Transformer(nn.Module):
    """[B, T, D] to [B, 768]."""

    def __init__(self, shape, dropout=0.1):
        super().__init__()
        network = nn.Module()
        network.conv = nn.Conv1d(shape[-1], WIDTH, kernel_size=1, bias=False)
        network.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(WIDTH, nhead=8, dim_feedforward=2048, dropout=dropout, batch_first=True)
            for _ in range(4)
        )
        self.network = network
        self.width = WIDTH

    def prepare(self, x, layout):
        return x

    def forward(self, x, batch):
        x = self.network.conv(x.transpose(1, 2)).transpose(1, 2)
        for layer in self.network.layers:
            x = layer(x)
        return x[:, 0]
