"""SGD with Grad Mults in PyTorch, three ways. All compute, for a gradient g and a mask M:

    g = M ⊙ g + decay · w;  m = momentum · m + g (the first time m = g);  g = g + momentum · m (Nesterov);  w = w − rate · g
"""
import torch


def groups(net, decay):
    """As the paper trains: no weight decay for biases and for the vectors of normalizations."""
    decayed = [p for p in net.parameters() if p.requires_grad and p.dim() > 1]
    others = [p for p in net.parameters() if p.requires_grad and p.dim() <= 1]
    return [(decayed, decay), (others, 0.0)]


class PerTensorSgd:
    """One tensor after the other, one operator after the other, a new tensor for each intermediate result."""

    def __init__(self, parameter_groups, masks, rate, momentum=0.9, nesterov=True):
        self.groups, self.masks, self.rate, self.momentum, self.nesterov = parameter_groups, masks, rate, momentum, nesterov
        self.buffers = {}

    def zero_grad(self):
        for parameters, _ in self.groups:
            for p in parameters:
                p.grad = None

    @torch.no_grad()
    def step(self):
        for parameters, decay in self.groups:
            for p in parameters:
                if p.grad is None:
                    continue
                g = p.grad * self.masks[p] if p in self.masks else p.grad.clone()
                if decay:
                    g.add_(p, alpha=decay)
                m = self.buffers.get(p)
                if m is None:
                    m = self.buffers[p] = g.clone()
                else:
                    m.mul_(self.momentum).add_(g)
                p.add_(g + m * self.momentum if self.nesterov else m, alpha=-self.rate)


class MaskedSgd:
    """PyTorch's own SGD after one multi-tensor multiplication with the dense masks; fused on CUDA."""

    def __init__(self, parameter_groups, masks, rate, momentum=0.9, nesterov=True):
        everything = [p for parameters, _ in parameter_groups for p in parameters]
        self.masked = [p for p in everything if p in masks]
        self.dense = [masks[p] for p in self.masked]
        own = [{"params": parameters, "weight_decay": decay} for parameters, decay in parameter_groups]
        options = {"fused": True} if everything[0].is_cuda else {}
        self.sgd = torch.optim.SGD(own, lr=rate, momentum=momentum, nesterov=nesterov, **options)

    def zero_grad(self):
        self.sgd.zero_grad(set_to_none=True)

    @torch.no_grad()
    def step(self):
        torch._foreach_mul_([p.grad for p in self.masked], self.dense)
        self.sgd.step()
