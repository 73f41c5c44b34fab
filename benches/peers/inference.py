"""Converted networks side by side: Spikeloom, SpikingJelly 2.0 and sinabs 3.1.

Question: at equal accuracy, how many spikes and how much time does an image take?
Varied: the tool and its recipe, the number of steps. Held: the trained network (read from one ONNX
file), the calibration and test images, one thread. Metric: accuracy, hidden spikes an image,
milliseconds an image at the largest number of steps. The tools run in turn, A B A B, and the faster
of the two runs of each counts.

The networks are chains of Conv, Gemm, Relu, AveragePool, MaxPool, Flatten and BatchNormalization;
their torch twins are built here from the ONNX weights and must give the logits that Spikeloom gives.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEPS = (1, 2, 4, 8, 16, 32)
# What "equal accuracy" means: at most so many points below the trained network.
CLOSE = 0.5


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def torch_twin(path):
    """The ONNX chain as a torch module."""
    graph = onnx.load(path).graph
    tensors = {i.name: torch.tensor(onnx.numpy_helper.to_array(i).copy()) for i in graph.initializer}
    layers, value = [], graph.input[0].name
    for node in graph.node:
        if node.input[0] != value:
            raise SystemExit(f"{path}: node {node.name} does not continue the chain")
        layers.append(layer(node, attributes(node), tensors))
        value = node.output[0]
    return nn.Sequential(*layers).eval()


def layer(node, a, tensors):
    own = [tensors[name] for name in node.input[1:] if name in tensors]
    if node.op_type == "Conv":
        weight, pads = own[0], a.get("pads", [0, 0, 0, 0])
        if pads[:2] != pads[2:]:
            raise SystemExit(f"{node.name}: uneven padding")
        made = nn.Conv2d(
            weight.shape[1] * a.get("group", 1), weight.shape[0], weight.shape[2:],
            stride=a.get("strides", [1, 1]), padding=pads[:2],
            dilation=a.get("dilations", [1, 1]), groups=a.get("group", 1), bias=len(own) > 1,
        )
        return with_weights(made, own)
    if node.op_type == "Gemm":
        weight = own[0] if a.get("transB", 0) else own[0].T.contiguous()
        made = nn.Linear(weight.shape[1], weight.shape[0], bias=len(own) > 1)
        return with_weights(made, [weight, *own[1:]])
    if node.op_type == "BatchNormalization":
        made = nn.BatchNorm1d(len(own[0]), eps=a.get("epsilon", 1e-5))
        made.running_mean, made.running_var = own[2], own[3]
        return with_weights(made, own[:2])
    if node.op_type in ("AveragePool", "MaxPool"):
        kind = nn.AvgPool2d if node.op_type == "AveragePool" else nn.MaxPool2d
        return kind(a["kernel_shape"], a.get("strides", a["kernel_shape"]), a.get("pads", [0])[0])
    if node.op_type == "Relu":
        return nn.ReLU()
    if node.op_type == "Flatten":
        return nn.Flatten()
    raise SystemExit(f"{node.name}: {node.op_type} is not part of this bench")


def with_weights(module, tensors):
    with torch.no_grad():
        module.weight.copy_(tensors[0])
        if len(tensors) > 1:
            module.bias.copy_(tensors[1])
    return module


def data(path, limit=None):
    arrays = np.load(path)
    names = ("x", "y") if "x" in arrays else ("images", "labels")
    images, labels = (arrays[name][:limit] for name in names)
    images = torch.tensor(images.astype(np.float32) / 255.0)
    return (images[:, None] if images.dim() == 3 else images), torch.tensor(labels.astype(np.int64))


class Counter:
    """Adds up what spiking modules send."""

    def __init__(self, modules):
        self.total = 0.0
        for module in modules:
            module.register_forward_hook(self.hook)

    def hook(self, module, inputs, output):
        self.total += float(output.count_nonzero() if self.binary(output) else output.sum())

    @staticmethod
    def binary(output):
        # Neurons with thresholds other than 1 send the threshold; those of sinabs send counts.
        return not torch.equal(output, output.round())


@torch.no_grad()
def stepwise(network, reset, images, labels, counter, batch=100):
    """Accuracy and spikes after each number of steps, the image as a constant current."""
    hits, spikes = {t: 0 for t in STEPS}, {t: 0.0 for t in STEPS}
    for start in range(0, len(images), batch):
        x, y = images[start:start + batch], labels[start:start + batch]
        reset(len(x))
        counter.total, summed = 0.0, 0.0
        for step in range(1, STEPS[-1] + 1):
            summed = summed + network(x)
            if step in hits:
                hits[step] += int((summed.argmax(1) == y).sum())
                spikes[step] += counter.total
    count = len(images)
    return ({t: 100.0 * hits[t] / count for t in STEPS}, {t: spikes[t] / count for t in STEPS})


@torch.no_grad()
def timed(network, reset, images, batch):
    """Processor milliseconds an image at the largest number of steps."""
    images = images[: max(batch, 20)]
    started = time.process_time()
    for start in range(0, len(images), batch):
        x = images[start:start + batch]
        reset(len(x))
        for _ in range(STEPS[-1]):
            network(x)
    return 1000.0 * (time.process_time() - started) / len(images)


def spikingjelly(model, calibration, recipe):
    from spikingjelly.activation_based import ann2snn, functional, neuron

    loader = [calibration[i:i + 100] for i in range(0, len(calibration), 100)]
    recipes = {
        "rate 99.9 %": lambda: ann2snn.RateCodingRecipe(loader, mode="99.9%"),
        "99.9 % channels, half threshold": lambda: ann2snn.RateCodingRecipe(
            loader, mode="99.9%", channel_wise=True, half_threshold=True, pre_spike_maxpool=True
        ),
        "local threshold balancing": lambda: ann2snn.LocalThresholdBalancingRecipe(loader * 4),
    }
    network = ann2snn.Converter(recipes[recipe]()).convert(model).eval()
    spiking = [m for m in network.modules() if isinstance(m, neuron.BaseNode)]
    return network, lambda _: functional.reset_net(network), Counter(spiking)


def sinabs_network(model, calibration, recipe):
    import sinabs.layers
    from sinabs.from_torch import from_model

    network = from_model(model, batch_size=1, spike_layer_class=sinabs.layers.IAFSqueeze)
    spiking = [m for m in network.spiking_model.modules() if isinstance(m, sinabs.layers.IAFSqueeze)]

    def reset(batch):
        for module in spiking:
            module.batch_size = batch
            module.reset_states()

    return network.spiking_model, reset, Counter(spiking)


PEERS = [
    ("SpikingJelly", "rate 99.9 %", spikingjelly),
    ("SpikingJelly", "99.9 % channels, half threshold", spikingjelly),
    ("SpikingJelly", "local threshold balancing", spikingjelly),
    ("sinabs", "from_model", sinabs_network),
]
OURS = [("Spikeloom", "rate"), ("Spikeloom", "phase")]


def spikeloom(binary, model, calibrate, test, limit, method):
    steps = "2,3,4,6,8" if method == "phase" else ",".join(map(str, STEPS))
    command = [
        binary, "convert", model, "--calibrate", calibrate, "--test", test, "--method", method,
        "--steps", steps, "--limit", str(limit), "--threads", "1", "--layer-images", "0", "--json",
    ]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def by_steps(values):
    return {int(t): value for t, value in values.items()}


def compare(name, model, calibrate, test, options):
    torch.set_num_threads(1)
    calibration, _ = data(calibrate)
    images, labels = data(test, options.images)
    twin = torch_twin(model)
    with torch.no_grad():
        logits = torch.cat([twin(images[i:i + 100]) for i in range(0, len(images), 100)])
    ann = 100.0 * float((logits.argmax(1) == labels).float().mean())
    # Our reading of the same file must give the same logits.
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file.name, x=(images.numpy() * 255).round().astype(np.uint8), y=labels.numpy(),
                 logits=logits.numpy())
        rows = []
        for turn in range(2):
            for tool, recipe in OURS:
                ours = spikeloom(options.spikeloom, model, calibrate, file.name, len(images), recipe)
                difference = ours["max_logit_difference"]
                if difference > 1e-3 or abs(ours["ann_accuracy"] - ann) > 0.01:
                    raise SystemExit(f"{name}: the networks differ: logits by {difference}, accuracy "
                                     f"{ours['ann_accuracy']} and {ann}")
                keep(rows, turn, tool, recipe, by_steps(ours["accuracy"]),
                     by_steps(ours["spikes_per_image_by_steps"]), ours["milliseconds_per_image"], None)
            for tool, recipe, make in PEERS:
                network, reset, counter = make(torch_twin(model), calibration, recipe)
                result = rows_of(rows, tool, recipe)
                accuracy, spikes = (result or (None, None)) if turn else stepwise(
                    network, reset, images, labels, counter)
                keep(rows, turn, tool, recipe, accuracy, spikes, timed(network, reset, images, 1),
                     timed(network, reset, images, 100))
    return {"model": name, "images": len(images), "ann_accuracy": ann, "rows": rows}


def rows_of(rows, tool, recipe):
    for row in rows:
        if (row["tool"], row["recipe"]) == (tool, recipe):
            return row["accuracy"], row["spikes"]
    return None


def keep(rows, turn, tool, recipe, accuracy, spikes, one, many):
    if turn == 0:
        rows.append({"tool": tool, "recipe": recipe, "accuracy": accuracy, "spikes": spikes,
                     "ms_one": one, "ms_batch": many})
        return
    for row in rows:
        if (row["tool"], row["recipe"]) == (tool, recipe):
            row["ms_one"] = min(row["ms_one"], one)
            row["ms_batch"] = None if many is None else min(row["ms_batch"], many)


def cheapest(row, ann):
    """The fewest spikes at which the accuracy is close to the trained network's, and stays so."""
    for steps in sorted(row["accuracy"]):
        later = [a for t, a in row["accuracy"].items() if t >= steps]
        if min(later) >= ann - CLOSE:
            return steps, row["spikes"][steps]
    return None, None


def show(result):
    ann, rows = result["ann_accuracy"], result["rows"]
    print(f"\n{result['model']}: {result['images']} images, trained network {ann:.2f} %")
    header = ["tool", "recipe", *[f"T={t}" for t in STEPS], "close at", "spikes", "ms 1", "ms batch"]
    table = [header]
    best = min((s for row in rows if row["tool"] == "Spikeloom" for _, s in [cheapest(row, ann)] if s),
               default=None)
    for row in rows:
        steps, spikes = cheapest(row, ann)
        accuracy = [f"{row['accuracy'][t]:.1f}" if t in row["accuracy"] else "-" for t in STEPS]
        table.append([
            row["tool"], row["recipe"], *accuracy, str(steps or "never"),
            "-" if spikes is None else f"{spikes:.0f}", f"{row['ms_one']:.2f}",
            "-" if row["ms_batch"] is None else f"{row['ms_batch']:.2f}",
        ])
    for line in table:
        print("| " + " | ".join(line) + " |")
        if line is header:
            print("|" + "---|" * len(line))
    fastest = min(row["ms_one"] for row in rows if row["tool"] == "Spikeloom" and row["recipe"] == "rate")
    for row in rows:
        _, spikes = cheapest(row, ann)
        if row["tool"] != "Spikeloom":
            time_ratio = row["ms_one"] / fastest
            few = "never as accurate" if not spikes or not best else f"{spikes / best:.1f} x the spikes"
            print(f"{row['tool']} {row['recipe']}: {time_ratio:.1f} x the time an image, {few}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--spikeloom", default=ROOT / "target/release/spikeloom")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--case", nargs=3, action="append", metavar=("MODEL.onnx", "C.npz", "T.npz"),
                        help="other networks (chains), calibration and test images; repeatable")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args()
    models, calibration = ROOT / "tests/data/models", ROOT / "tests/data/calibration"
    cases = options.case or [
        [models / f"{name}/model_ts.onnx", calibration / f"{set_}.npz", models / f"{name}/expected.npz"]
        for name, set_ in [("lenet_mnist", "mnist"), ("bncnn_fashion", "fashion")]
    ]
    if not pathlib.Path(options.spikeloom).exists():
        sys.exit(f"{options.spikeloom} is missing: cargo build --release --package spikeloom-cli")
    results = []
    for model, calibrate, test in cases:
        name = pathlib.Path(model).parent.name
        results.append(compare(name, str(model), str(calibrate), str(test), options))
        if not options.json:
            show(results[-1])
    if options.json:
        print(json.dumps({"results": results}))


if __name__ == "__main__":
    main()
