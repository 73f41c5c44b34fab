#!/usr/bin/env python3
"""Writes `digits_cnn.onnx` from `digits_cnn.pt` with PyTorch's dynamo exporter.

    pip install torch numpy onnx onnxscript
    python export.py
"""
import onnx
import torch

from train import FOLDER, accuracy, build, load


def strip_notes(path):
    """Drops the exporter's notes about source files; the graph stays as it is."""
    model = onnx.load(path)
    graph = model.graph
    for part in [graph, *graph.node, *graph.value_info, *graph.input, *graph.output]:
        part.doc_string = ""
        keep = [entry for entry in part.metadata_props if "stack_trace" not in entry.key]
        keep = [(entry.key, entry.value) for entry in keep]
        del part.metadata_props[:]
        for key, value in keep:
            part.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


if __name__ == "__main__":
    network = build()
    network.load_state_dict(torch.load(FOLDER / "digits_cnn.pt", weights_only=True))
    network.eval()
    print(f"accuracy on the 500 test images: {accuracy(network, 'test'):.1%}")
    example = load("test")[0][:2]
    target = str(FOLDER / "digits_cnn.onnx")
    torch.onnx.export(
        network, (example,), target, dynamo=True, external_data=False, verbose=False,
        input_names=["input"], output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("n")},),  # the batch axis is free
    )
    strip_notes(target)
