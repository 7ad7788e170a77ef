"""Writes encode.json, psp_kernel.json, forward.json, mse_loss.json and training.json into a directory:

    python3 tests/golden/vectors.py DIRECTORY

All are drawn from one stream of random numbers, in this order. In float32.
"""
import json
import pathlib
import sys

import torch

from reference import GaussianTuning, Tempotron, whole


def encode_cases():
    """The values of x reach over the range around its middle, or over `reach` times as much."""
    for n, m, time, batch, k, reach in [
            (1, 3, 50, 1, 1, 1), (1, 16, 100, 4, 7, 1), (4, 12, 50, 5, 1, 1), (3, 6, 37, 2, 5, 4),
            (2, 4, 1, 3, 2, 1), (5, 9, 1000, 2, 3, 1.4), (7, 5, 10, 1, 4, 3)]:
        x_min = torch.randn(n) * 3
        x_max = x_min + torch.rand(n) * 5 + 0.1
        middle, span = (x_min + x_max) / 2, reach * (x_max - x_min)
        x = middle[:, None] + (torch.rand(batch, n, k) - 0.5) * span[:, None]
        spikes = GaussianTuning(n, m, x_min, x_max).encode(x, max_spike_time=time)
        yield {"n": n, "m": m, "x_min": whole(x_min), "x_max": whole(x_max), "max_spike_time": time,
               "x": whole(x), "spikes": whole(spikes)}


def psp_kernel_cases():
    for tau, tau_s in [(15.0, 3.75), (10.0, 2.5), (20.0, 19.0), (3.75, 15.0), (100.0, 1.0)]:
        t = torch.cat([torch.tensor([-1e6, -333.0, -1.0, -0.0, 0.0]), torch.rand(20) * 120])
        yield {"tau": tau, "tau_s": tau_s, "t": whole(t), "k": whole(Tempotron._psp_kernel(t, tau, tau_s))}


def draw_spikes(batch, features, T, early):
    """Times from -early T to T; those before 0 are silent."""
    return torch.rand(batch, features) * (T * (1 + early)) - T * early


def silenced(times):
    return torch.where(times < 0, torch.tensor(-1.0), times)


def forward_cases():
    for in_features, out_features, T, tau, tau_s, v_threshold, batch, is_whole in [
            (4, 3, 50, 15.0, 3.75, 1.0, 2, True), (20, 5, 100, 15.0, 3.75, 1.0, 6, True),
            (1, 1, 10, 15.0, 3.75, 1.0, 1, True), (48, 3, 100, 10.0, 2.5, 0.5, 4, True),
            (8, 2, 30, 15.0, 3.75, 2.0, 3, False), (33, 7, 61, 20.0, 4.0, 1.5, 5, False)]:
        neuron = Tempotron(in_features, out_features, T, tau, tau_s, v_threshold)
        weight = neuron.model.summation_layer.weight
        with torch.no_grad():
            weight *= 3
        times = draw_spikes(batch, in_features, T, 0.25)
        in_spikes = silenced(times.round() if is_whole else times)
        yield {"in_features": in_features, "out_features": out_features, "T": T, "tau": tau,
               "tau_s": tau_s, "v_threshold": v_threshold, "weight": whole(weight),
               "in_spikes": whole(in_spikes), "v": whole(neuron(in_spikes, "v")),
               "v_max": whole(neuron(in_spikes, "v_max")),
               "spikes": whole(torch.where(neuron(in_spikes, "v_max") >= v_threshold,
                                           neuron(in_spikes, "spikes"), torch.tensor(-1.0)))}


def mse_loss_cases():
    """The first v_max is the threshold itself."""
    for batch, classes, v_threshold in [(1, 1, 1.0), (4, 3, 1.0), (16, 10, 0.5), (3, 7, 2.0)]:
        v_max = torch.rand(batch, classes) * 2 * v_threshold
        v_max[0, 0] = v_threshold
        label = torch.randint(0, classes, (batch,))
        neuron = Tempotron(2, classes, 10, v_threshold=v_threshold)
        yield {"v_max": whole(v_max), "v_threshold": v_threshold, "label": label.tolist(),
               "num_classes": classes, "loss": whole(neuron.mse_loss(v_max, label))}


def training_cases():
    IN_FEATURES, OUT_FEATURES, T, BATCH, STEPS = 30, 4, 100, 8, 12
    for name, optimizer, settings in [("sgd", torch.optim.SGD, {"lr": 0.05}),
                                      ("sgd", torch.optim.SGD, {"lr": 0.02, "momentum": 0.9}),
                                      ("adam", torch.optim.Adam, {"lr": 0.01})]:
        neuron = Tempotron(IN_FEATURES, OUT_FEATURES, T)
        weight = neuron.model.summation_layer.weight
        case = {"optimizer": name, **settings, "in_features": IN_FEATURES, "out_features": OUT_FEATURES,
                "T": T, "tau": neuron.tau, "tau_s": neuron.tau_s, "v_threshold": neuron.v_threshold,
                "batch_size": BATCH, "weight": whole(weight)}
        in_spikes = silenced(draw_spikes(BATCH * STEPS, IN_FEATURES, T, 0.3).round())
        label = torch.randint(0, OUT_FEATURES, (BATCH * STEPS,))
        learner = optimizer([weight], **settings)
        losses, gradients = [], []
        for x, y in zip(in_spikes.split(BATCH), label.split(BATCH)):
            learner.zero_grad()
            loss = neuron.mse_loss(neuron(x, "v_max"), y)
            loss.backward()
            losses.append(loss.item())
            gradients.append(weight.grad.clone())
            learner.step()
        yield {**case, "in_spikes": whole(in_spikes), "label": label.tolist(), "loss": whole(losses),
               "first_gradient": whole(gradients[0]), "final_weight": whole(weight)}


torch.manual_seed(1)
for name, cases in [("encode", encode_cases), ("psp_kernel", psp_kernel_cases), ("forward", forward_cases),
                    ("mse_loss", mse_loss_cases), ("training", training_cases)]:
    text = json.dumps({"cases": list(cases())}, separators=(",", ":"))
    pathlib.Path(sys.argv[1], f"{name}.json").write_text(text + "\n")
