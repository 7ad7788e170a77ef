"""Writes hidden_peak.json into a directory: tempotrons stacked, forward(x, "spikes") of each layer the
input of the next, and torch's gradients by the weights of all layers. In double precision.

    python3 tests/golden/hidden_peak.py DIRECTORY

SpikingJelly negates the time of a neuron that stays silent, so one with its maximum at 0 would count as
a spike. No case holds such a neuron, nor one whose maximum lies within rounding of its threshold or of a
second maximum.
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

from reference import Tempotron, numbers

BATCH = 4
BETA = 5.0


def build(shape, T, tau, tau_s):
    """Layers with weights that float32 holds; those of hidden layers are mostly positive, so that they fire."""
    layers = []
    for index, (afferents, neurons) in enumerate(zip(shape, shape[1:])):
        layer = Tempotron(afferents, neurons, T, tau, tau_s).double()
        mean = 0.0 if index == len(shape) - 2 else 3.0 / afferents
        weight = (mean + torch.randn(neurons, afferents) * 1.5 / afferents**0.5).float().double()
        layer.model.summation_layer.weight = torch.nn.Parameter(weight)
        layers.append(layer)
    return layers


def is_clear(layer, spikes):
    """Whether float32 finds the same spikes, and no silent neuron has its maximum at 0."""
    v = layer(spikes, "v").detach()
    first, second = v.topk(2, dim=2).values.unbind(2)
    near = ((first - layer.v_threshold).abs() < 1e-4) | (first - second < 1e-5)
    silent = first < layer.v_threshold
    return not bool(near.any() | (silent & (v.argmax(dim=2) == 0)).any()) and 0.2 < silent.double().mean() < 0.8


def run(shape, T, tau, tau_s, loss_name):
    layers = build(shape, T, tau, tau_s)
    in_spikes = torch.randint(-T // 8, T * 3 // 4, (BATCH, shape[0])).clamp_min(-1).double()
    label = torch.randint(0, shape[-1], (BATCH,))
    x, spikes = in_spikes, []
    for layer in layers[:-1]:
        if not is_clear(layer, x):
            return None
        x = layer(x, "spikes")
        spikes.append(x.detach().clamp_min(-1).tolist())
    v_max = layers[-1](x, "v_max")
    loss = layers[-1].mse_loss(v_max, label) if loss_name == "mse" else F.cross_entropy(BETA * v_max, label)
    loss.backward()
    weights = [layer.model.summation_layer.weight for layer in layers]
    if min(float(weight.grad.abs().max()) for weight in weights) < 1e-2:
        return None
    return {"loss_type": loss_name, "beta": BETA, "shape": shape, "T": T, "tau": tau, "tau_s": tau_s,
            "v_threshold": 1.0, "batch": BATCH, "in_spikes": in_spikes.tolist(), "label": label.tolist(),
            "weight": [weight.detach().tolist() for weight in weights], "spikes": spikes,
            "v_max": v_max.detach().tolist(), "loss": loss.item(),
            "gradient": [weight.grad.tolist() for weight in weights]}


def main():
    settings = [([12, 10, 3], 30, 8.0, 2.0), ([12, 35, 3], 30, 8.0, 2.0), ([14, 9, 7, 3], 40, 15.0, 3.75)]
    cases = []
    torch.manual_seed(1)
    for setting in settings:
        for loss_name in ("mse", "cross_entropy"):
            case = None
            while case is None:
                case = run(*setting, loss_name)
            cases.append({name: numbers(value) for name, value in case.items()})
    text = json.dumps({"cases": cases}, separators=(",", ":"))
    pathlib.Path(sys.argv[1], "hidden_peak.json").write_text(text + "\n")


main()
