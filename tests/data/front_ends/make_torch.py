"""Writes small networks with random weights in PyTorch's forms, and PyTorch's answers.

  python make_torch.py      (torch 2.6, onnx, onnxscript, onnxruntime, safetensors, numpy)

onnx/<case>.<exporter>_<operator set>.onnx with onnx/<case>.npz (x, logits), and
weights/<case>.pt, .safetensors, .npz; the .toml beside them are written by hand.
"""
import os, warnings
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
import onnx
from onnx import version_converter
from safetensors.torch import save_file

warnings.filterwarnings('ignore')
torch.manual_seed(7)
HERE = os.path.dirname(os.path.abspath(__file__))


def settle(net):
    """Batch norms get statistics, as after training; some gains are negative."""
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            n = m.num_features
            m.running_mean.copy_(torch.randn(n) * 0.3)
            m.running_var.copy_(torch.rand(n) + 0.2)
            m.weight.data.copy_(torch.randn(n) * 0.5 + 0.6)
            m.bias.data.copy_(torch.randn(n) * 0.3)
            m.running_var[0] = 1e-12
    return net.eval()


class Sequence(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Conv1d(3, 6, 5, stride=2, padding=2)
        s.b = nn.Conv1d(6, 8, 3, dilation=2, groups=2, padding='same')
        s.f = nn.Linear(8 * 5, 4)
    def forward(s, x):
        x = F.max_pool1d(F.relu(s.a(x)), 2, ceil_mode=True)
        x = F.avg_pool1d(F.relu(s.b(x)), 2, padding=1)
        return s.f(x.flatten(1))


class Padded(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Conv2d(2, 4, (3, 2), stride=2, bias=False)
        s.b = nn.Conv2d(4, 6, 3, padding=(2, 1), dilation=(2, 1), groups=2)
        s.f = nn.Linear(6 * 4 * 5, 5)
    def forward(s, x):
        x = F.relu(s.a(F.pad(x, (1, 2, 0, 1))))
        x = F.relu(s.b(x))
        return s.f(x.view(x.size(0), -1))


class Pools(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Conv2d(1, 4, 3)
        s.m = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
        s.p = nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False)
        s.q = nn.AvgPool2d(3, 2, padding=1, count_include_pad=True)
        s.f = nn.Linear(4 * 9 * 3, 5)
    def forward(s, x):
        x = F.relu(s.a(x))
        return s.f(torch.cat([t(x).flatten(1) for t in (s.m, s.p, s.q)], 1)[:, :108])


class Norms(nn.Module):
    """Batch norm after ReLU before a padded convolution, before a max pool, and after a dense layer."""
    def __init__(s):
        super().__init__()
        s.a, s.n1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        s.b, s.n2 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        s.c, s.n3 = nn.Linear(4 * 16, 8), nn.BatchNorm1d(8)
        s.d = nn.Linear(8, 3)
        s.relu, s.drop = nn.ReLU(), nn.Dropout(0.5)
    def forward(s, x):
        x = s.n1(s.relu(s.a(x)))
        x = F.max_pool2d(s.n2(s.relu(s.b(x))), 2)
        x = s.drop(s.relu(s.n3(s.c(x.flatten(1)))))
        return F.log_softmax(s.d(x), 1)


class Activations(nn.Module):
    def __init__(s):
        super().__init__()
        s.a, s.b, s.c, s.d, s.e = (nn.Linear(6, 6) for _ in range(5))
        s.p = nn.PReLU(6)
    def forward(s, x):
        x = F.relu6(s.a(x) * 4)
        x = F.leaky_relu(s.b(x), 0.2)
        x = s.p(s.c(x))
        x = torch.clamp(s.d(x), min=-0.5, max=0.75)
        return torch.softmax(s.e(F.hardtanh(x, 0, 1)), -1)


class Branches(nn.Module):
    def __init__(s):
        super().__init__()
        s.a, s.b, s.c = nn.Conv2d(2, 3, 1), nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(7, 7, 3, padding=1)
        s.n = nn.BatchNorm2d(7)
        s.g = nn.Conv2d(7, 7, 1, groups=7)
        s.f = nn.Linear(7, 4)
        s.register_buffer('mean', torch.tensor([0.2, 0.4]).view(1, 2, 1, 1))
        s.register_buffer('scale', torch.rand(1, 7, 1, 1) + 0.5)
    def forward(s, x):
        x = (x - s.mean) / 0.25
        y = torch.cat([s.a(x), s.b(x)], 1)
        y = F.relu(s.n(y))
        z = F.relu(y + s.c(y) * s.scale)
        z = F.relu(s.g(z) - y)
        return torch.sigmoid(s.f(z.mean((2, 3))))


class Axes(nn.Module):
    def __init__(s):
        super().__init__()
        s.a = nn.Linear(5, 6)
        s.c = nn.Conv1d(4, 3, 3)
        s.f = nn.Linear(12, 4)
    def forward(s, x):                      # (n, 4, 5): a dense layer along the last axis
        x = F.relu(s.a(x))
        x = F.relu(s.c(x)).permute(0, 2, 1)
        x = x.unsqueeze(1).squeeze(1).transpose(1, 2)
        x = x.reshape(x.shape[0], -1)
        return s.f(x).argmax(1)


class PoolFirst(nn.Module):
    """The order of PyTorch's own MNIST example: max pooling before the ReLU; global max pooling."""
    def __init__(s):
        super().__init__()
        s.a, s.b, s.f = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 6, 3), nn.Linear(6, 3)
    def forward(s, x):
        x = F.relu(F.max_pool2d(s.a(x), 2))
        x = F.adaptive_max_pool2d(F.relu(s.b(x)), 1)
        return s.f(torch.flatten(x, 1))


CASES = {
    'sequence': (Sequence, (3, 32)),
    'padded': (Padded, (2, 8, 8)),
    'pools': (Pools, (1, 7, 7)),
    'norms': (Norms, (1, 8, 8)),
    'activations': (Activations, (6,)),
    'branches': (Branches, (2, 6, 6)),
    'axes': (Axes, (4, 5)),
    'pool_first': (PoolFirst, (1, 12, 12)),
}


def clean(path):
    p = onnx.load(path)
    for n in list(p.graph.node) + [p.graph] + list(p.graph.value_info) + list(p.graph.input) + list(p.graph.output):
        n.doc_string = ''
        del n.metadata_props[:]
    del p.metadata_props[:]
    onnx.save(p, path)
    return p


def main():
    for name, (make, shape) in CASES.items():
        net = settle(make())
        x = torch.randn(6, *shape)
        with torch.no_grad():
            y = net(x)
        np.savez_compressed(f'{HERE}/onnx/{name}.npz', x=x.numpy(), logits=y.numpy().astype('float32'))
        free = {'x': {0: 'n'}, 'y': {0: 'n'}}
        names = dict(input_names=['x'], output_names=['y'])
        for opset in (9, 13, 17):
            path = f'{HERE}/onnx/{name}.ts_{opset}.onnx'
            try:
                mode = torch.onnx.TrainingMode.PRESERVE if opset == 13 else torch.onnx.TrainingMode.EVAL
                torch.onnx.export(net, (x[:1],), path, dynamo=False, opset_version=opset, dynamic_axes=free, training=mode,
                                  do_constant_folding=opset != 13, **names)
                p = clean(path)
                if opset == 17:
                    for new in (20, 23):
                        try:
                            onnx.save(version_converter.convert_version(p, new), f'{HERE}/onnx/{name}.ts_{new}.onnx')
                        except Exception as e:
                            print(name, new, 'no', str(e)[:80])
            except Exception as e:
                print(name, opset, 'no', str(e)[:200])
        for label, dynamic in (('free', True), ('one', False)):
            path = f'{HERE}/onnx/{name}.dynamo_{label}.onnx'
            try:
                dyn = dict(dynamic_shapes=({0: torch.export.Dim('n')},)) if dynamic else {}
                torch.onnx.export(net, (x[:2] if dynamic else x[:1],), path, dynamo=True, external_data=False, verbose=False, **dyn, **names)
                clean(path)
            except Exception as e:
                print(name, label, 'no', str(e)[-200:].replace('\n', ' '))
    weights()


class Block(nn.Module):
    def __init__(s, i, o):
        super().__init__()
        s.conv1, s.bn1 = nn.Conv2d(i, o, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(o)
        s.conv2, s.bn2 = nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o)
        s.down = nn.Sequential(nn.Conv2d(i, o, 1, stride=2, bias=False), nn.BatchNorm2d(o))
    def forward(s, x):
        return F.relu(s.bn2(s.conv2(F.relu(s.bn1(s.conv1(x))))) + s.down(x))


class Residual(nn.Module):
    def __init__(s):
        super().__init__()
        s.stem, s.block, s.fc = nn.Conv2d(1, 4, 3, padding=1), Block(4, 6), nn.Linear(6, 4)
        s.act = nn.PReLU()
    def forward(s, x):
        x = s.block(s.act(s.stem(x)))
        return s.fc(x.mean((2, 3)))


class Plain(nn.Module):
    def __init__(s):
        super().__init__()
        s.conv1, s.bn1 = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        s.conv2 = nn.Conv2d(4, 6, 3, padding=1)
        s.fc1, s.fc2 = nn.Linear(6 * 4, 8), nn.Linear(8, 3)
    def forward(s, x):
        x = F.max_pool2d(F.relu(s.bn1(s.conv1(x))), 2)
        x = F.max_pool2d(F.relu(s.conv2(x)), 2)
        return s.fc2(F.relu(s.fc1(x.flatten(1))))


def weights():
    nets = {'plain': (Plain(), (1, 8, 8)), 'residual': (Residual(), (1, 8, 8)),
            'mlp': (nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)), (5,))}
    for name, (net, shape) in nets.items():
        settle(net)
        x = torch.randn(6, *shape)
        with torch.no_grad():
            y = net(x)
        d = f'{HERE}/weights/{name}'
        np.savez_compressed(f'{d}.npz', x=x.numpy(), logits=y.numpy())
        state = net.state_dict()
        torch.save(state, f'{d}.pt')
        save_file({k: v.contiguous() for k, v in state.items()}, f'{d}.safetensors')
        os.chmod(f'{d}.safetensors', 0o644)
    net, _ = nets['mlp']
    d = f'{HERE}/weights'
    torch.save({'epoch': 3, 'loss': 0.5, 'model_state_dict': net.half().state_dict()}, f'{d}/checkpoint_half.pt')
    torch.save(net.state_dict(), f'{d}/legacy.pt', _use_new_zipfile_serialization=False)
    torch.save(nn.Linear(2, 2), f'{d}/whole_module.pt')
    torch.jit.script(nn.Linear(2, 2)).save(f'{d}/torchscript.pt')
    t = torch.arange(12.).reshape(3, 4)
    torch.save({'0.weight': t.t()[1:, :2], '0.bias': nn.Parameter(torch.ones(3))}, f'{d}/views.pt')


main()
