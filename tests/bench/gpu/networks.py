"""RepOpt-VGG's plain target network and RepVGG's multi-branch one in PyTorch, written from the papers (arXiv 2205.15242, 2101.03697).

The names of parameters and buffers are those of our own networks, so that one takes the other's weights.
"""
import torch
from torch import nn

# Blocks of stages 1 to 4, widths of their channels, strides of stages 0 to 4.
ARCHITECTURES = {
    "RepOpt-VGG-B1": ((4, 6, 16, 1), (2, 2, 2, 4), (2, 2, 2, 2, 2)),
    "RepOpt-VGG-tiny": ((1, 2, 3, 1), (0.25, 0.25, 0.25, 0.25), (1, 1, 2, 2, 2)),
    # The network of the golden files.
    "golden": ((1, 2, 2, 1), (0.125, 0.125, 0.125, 0.125), (2, 2, 2, 2, 2)),
}


class PlainBlock(nn.Module):
    """One 3x3 convolution, its normalization, ReLU."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return torch.relu_(self.bn(self.conv(x)))


class BranchedBlock(nn.Module):
    """3x3 + 1x1 (+ identity), each with a normalization of its own, then ReLU."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv_3x3 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn_3x3 = nn.BatchNorm2d(outputs)
        self.conv_1x1 = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.bn_1x1 = nn.BatchNorm2d(outputs)
        self.bn_identity = nn.BatchNorm2d(outputs) if inputs == outputs and stride == 1 else None

    def forward(self, x):
        y = self.bn_3x3(self.conv_3x3(x)) + self.bn_1x1(self.conv_1x1(x))
        if self.bn_identity is not None:
            y = y + self.bn_identity(x)
        return torch.relu_(y)


class Vgg(nn.Module):
    """Stage 0 is one block, stages 1 to 4 are rows of them; the mean of what is left goes into a linear layer."""

    def __init__(self, architecture, mode, classes=1000):
        super().__init__()
        blocks, widths, strides = ARCHITECTURES[architecture]
        block = {"target": PlainBlock, "repvgg": BranchedBlock}[mode]
        channels = min(64, int(64 * widths[0]))
        self.stage0 = block(3, channels, strides[0])
        for stage in range(1, 5):
            outputs, row = int((32 << stage) * widths[stage - 1]), []
            for i in range(blocks[stage - 1]):
                row.append(block(channels, outputs, strides[stage] if i == 0 else 1))
                channels = outputs
            setattr(self, "stage%d" % stage, nn.Sequential(*row))
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.stage4(self.stage3(self.stage2(self.stage1(self.stage0(x)))))
        return self.linear(x.mean((2, 3)))


def random_masks(net, generator=None):
    """A dense Grad Mult of each convolution, s3² + [centre]·(s1² + [o == i]), for random scales of both signs."""
    masks = {}
    for conv in [module.conv for module in net.modules() if isinstance(module, PlainBlock)]:
        weight = conv.weight
        outputs, inputs = weight.shape[:2]
        square = torch.rand(2, outputs, generator=generator).mul_(1.2).add_(0.2).pow_(2)
        mask = square[0].view(-1, 1, 1, 1).expand(outputs, inputs, 3, 3).clone()
        mask[:, :, 1, 1] += square[1].view(-1, 1)
        if outputs == inputs and conv.stride[0] == 1:
            mask[:, :, 1, 1] += torch.eye(outputs)
        masks[weight] = mask.to(weight.device)
    return masks
