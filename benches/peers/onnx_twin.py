"""The torch twin of an ONNX classifier, built from its nodes: what the other converters start from.

Every rectifier becomes a module of its own, and `forward` walks the nodes, so that torch.fx can trace
it. Known are the operators of small image classifiers; any other is named and refused.
"""

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import nn


class Sum(nn.Module):
    """A residual add."""

    def forward(self, a, b):
        return a + b


class Mean(nn.Module):
    """A global average over rows and columns."""

    def __init__(self, keep):
        super().__init__()
        self.keep = keep

    def forward(self, x):
        return x.mean((2, 3), keepdim=self.keep)


class Twin(nn.Module):
    """The nodes of a graph as modules."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        self.constants = {i.name: onnx.numpy_helper.to_array(i).copy() for i in graph.initializer}
        # Numbers of axes, by value: batch normalisation has another module for each.
        self.axes = {graph.input[0].name: 4}
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.plan, self.names = [], {}
        for node in graph.node:
            if node.op_type == "Constant" or all(name in self.constants for name in node.input):
                self.fold(node)
                continue
            values = [name for name in node.input if name not in self.constants]
            own = [torch.tensor(self.constants[n]) for n in node.input if n in self.constants]
            module = self.module(node, attributes(node), own)
            name = f"m{len(self.plan)}_{node.op_type.lower()}"
            self.add_module(name, module)
            self.plan.append((name, values, node.output[0]))

    def fold(self, node):
        """A node on constants alone."""
        if node.op_type == "Constant":
            value = onnx.numpy_helper.to_array(attributes(node)["value"]).copy()
        elif node.op_type == "Identity":
            value = self.constants[node.input[0]]
        else:
            raise SystemExit(f"{node.name}: {node.op_type} on constants is not part of this bench")
        self.constants[node.output[0]] = value

    def module(self, node, a, own):
        """The module of a node."""
        axes = self.axes[next(name for name in node.input if name not in self.constants)]
        self.axes[node.output[0]] = axes
        if node.op_type == "Conv":
            return convolution(node, a, own)
        if node.op_type == "Gemm":
            weight = own[0] if a.get("transB", 0) else own[0].T.contiguous()
            made = nn.Linear(weight.shape[1], weight.shape[0], bias=len(own) > 1)
            return with_weights(made, [weight, *own[1:]])
        if node.op_type == "BatchNormalization":
            kind = nn.BatchNorm2d if axes == 4 else nn.BatchNorm1d
            made = kind(len(own[0]), eps=a.get("epsilon", 1e-5))
            made.running_mean, made.running_var = own[2], own[3]
            return with_weights(made, own[:2])
        if node.op_type in ("AveragePool", "MaxPool"):
            kind = nn.AvgPool2d if node.op_type == "AveragePool" else nn.MaxPool2d
            return kind(a["kernel_shape"], a.get("strides", a["kernel_shape"]), a.get("pads", [0])[0])
        if node.op_type == "Relu":
            return nn.ReLU()
        if node.op_type == "Clip" and [float(bound) for bound in own] == [0.0, 6.0]:
            return nn.ReLU6()
        if node.op_type == "Add" and not own:
            return Sum()
        if node.op_type == "Identity":
            return nn.Identity()
        if node.op_type in ("GlobalAveragePool", "ReduceMean"):
            keep = node.op_type == "GlobalAveragePool" or bool(a.get("keepdims", 1))
            self.axes[node.output[0]] = 4 if keep else 2
            return Mean(keep)
        if node.op_type == "Flatten" or (node.op_type == "Reshape" and len(own[0]) == 2):
            self.axes[node.output[0]] = 2
            return nn.Flatten()
        raise SystemExit(f"{node.name}: {node.op_type} is not part of this bench")

    def forward(self, x):
        values = {self.input: x}
        for name, inputs, output in self.plan:
            values[output] = getattr(self, name)(*[values[i] for i in inputs])
        return values[self.output]


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def convolution(node, a, own):
    weight, pads = own[0], a.get("pads", [0, 0, 0, 0])
    if pads[:2] != pads[2:]:
        raise SystemExit(f"{node.name}: uneven padding")
    groups = a.get("group", 1)
    made = nn.Conv2d(
        weight.shape[1] * groups, weight.shape[0], weight.shape[2:], stride=a.get("strides", [1, 1]),
        padding=pads[:2], dilation=a.get("dilations", [1, 1]), groups=groups, bias=len(own) > 1,
    )
    return with_weights(made, own)


def with_weights(module, tensors):
    with torch.no_grad():
        module.weight.copy_(tensors[0])
        if len(tensors) > 1:
            module.bias.copy_(tensors[1])
    return module


def load(path):
    """The network in the file, ready to be evaluated."""
    return Twin(path).eval()


def samples(path, limit=None, divisor=255.0):
    """Images as the network takes them, and their classes (0 where the file has none)."""
    arrays = np.load(path)
    x = arrays["x" if "x" in arrays else "images"][:limit]
    label = next((name for name in ("y", "labels") if name in arrays), None)
    y = arrays[label][:limit] if label else np.zeros(len(x))
    images = torch.tensor(x.astype(np.float32) / divisor)
    return (images[:, None] if images.dim() == 3 else images), torch.tensor(y.astype(np.int64))
