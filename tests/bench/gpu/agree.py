"""Lets the networks and updates of this folder compute what a test asks for: agree.py forward|update INPUT OUTPUT [ARCHITECTURE MODE]."""
import sys

import tensors
import torch
import updates
from networks import Vgg


def forward(given, architecture, mode):
    """In training mode, so that every normalization takes part; logits and the gradients of their sum of squares."""
    net = Vgg(architecture, mode, classes=given["linear.weight"].shape[0])
    images = given.pop("images")
    net.load_state_dict(given, strict=True)
    logits = net.train()(images)
    logits.pow(2).sum().backward()
    return {"logits": logits, **{"grad." + name: p.grad for name, p in net.named_parameters()}}


def update(given, way):
    """Three steps of one parameter with a mask and weight decay and of one without."""
    weights = {name: torch.nn.Parameter(given["weight." + name]) for name in ("a", "b")}
    sgd = way([([weights["a"]], 0.01), ([weights["b"]], 0.0)], {weights["a"]: given["mask.a"]}, rate=0.1)
    for step in range(3):
        for name, p in weights.items():
            p.grad = given["grad.%s.%d" % (name, step)].clone()
        sgd.step()
    return weights


def main():
    torch.set_num_threads(1)
    what, source, target = sys.argv[1:4]
    given = tensors.read(source)
    if what == "forward":
        found = forward(given, *sys.argv[4:6])
    else:
        found = update(given, {"per-tensor": updates.PerTensorSgd, "masked": updates.MaskedSgd}[sys.argv[4]])
    tensors.write(target, found)


if __name__ == "__main__":
    main()
