#!/usr/bin/env python3
"""Trains `digits_cnn` on the training part of `digits.npz`: one thread, fixed seed, about 5 seconds.

    pip install torch numpy
    python train.py               # writes digits_cnn.pt; export.py makes digits_cnn.onnx of it
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent
SEED, EPOCHS, BATCH, RATE = 26, 60, 32, 3e-3


def build():
    """8x8 picture -> 10 scores; 4,906 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
        nn.Conv2d(12, 24, 3), nn.ReLU(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(216, 10),
    )


def to_input(images):
    """uint8 `[n, 8, 8]`, 0..16 -> float32 `[n, 1, 8, 8]`, 0..1."""
    return torch.from_numpy(images.astype("float32") / 16)[:, None]


def load(part):
    """Pictures and labels of `train`, `calib` or `test`."""
    arrays = np.load(FOLDER / "digits.npz")
    chosen = arrays[f"{part}_idx"]
    return to_input(arrays["images"][chosen]), torch.from_numpy(arrays["labels"][chosen].astype("int64"))


def accuracy(network, part):
    images, labels = load(part)
    with torch.no_grad():
        return (network(images).argmax(1) == labels).float().mean().item()


def train():
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    images, labels = load("train")
    network = build()
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-3)
    batches, step = len(images) // BATCH, 0
    for _ in range(EPOCHS):
        network.train()
        order = torch.randperm(len(images))
        for batch in range(batches):
            # Warm-up over 100 steps, then linear decay to nearly zero.
            for group in optimiser.param_groups:
                group["lr"] = RATE * min(1, 0.05 + step / 100) * (1 - step / (EPOCHS * batches)) + 1e-5
            chosen = order[batch * BATCH:(batch + 1) * BATCH]
            # Dropout before the last layer acts in training only; the network has no module for it.
            features = F.dropout(network[:-1](images[chosen]), 0.4)
            loss = F.cross_entropy(network[-1](features), labels[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            step += 1
    network.eval()
    return network


if __name__ == "__main__":
    trained = train()
    torch.save(trained.state_dict(), FOLDER / "digits_cnn.pt")
    print(f"accuracy on the 500 test images: {accuracy(trained, 'test'):.1%}")
