"""The reference of the golden vectors: SpikingJelly's timing_based package, version 2.0.0.dev1.

TEMPOTRON_SPIKINGJELLY names a checkout of SpikingJelly, whose classes then make the vectors. Without it
the classes below do: they are written from the published formulas, in the order of operations that gives
the same bits. Gaussian tuning: Bohte, Kok, La Poutre, Neurocomputing 48, 2002. Tempotron: Guetig,
Sompolinsky, Nature Neuroscience 9, 2006.
"""
import importlib.util
import math
import os
import pathlib

import torch
import torch.nn.functional as F


class GaussianTuning:
    """Neuron j = 1..m of a feature has its centre at x_min + (2j - 3)/2 delta and the width delta/1.5,
    where delta = (x_max - x_min)/(m - 2)."""

    def __init__(self, n, m, x_min, x_max):
        j = torch.arange(1, m + 1).float()
        delta = ((x_max - x_min) / (m - 2)).unsqueeze(1)
        self.m = m
        self.mu = x_min.unsqueeze(1) + (2 * j - 3) / 2 * delta
        self.sigma2 = (1 / 1.5 * (x_max - x_min) / (m - 2)).square().unsqueeze(1)

    def encode(self, x, max_spike_time):
        """x[batch][n][k] -> the times of the spikes [batch][n][k][m], -1 for none."""
        distance = x.transpose(1, 2).unsqueeze(3) - self.mu
        response = torch.exp(-distance.square() / 2 / self.sigma2)
        times = (max_spike_time * (1 - response)).round()
        times[times >= max_spike_time] = -1
        return times.transpose(1, 2)


class Tempotron(torch.nn.Module):
    """V_j(t) = sum over i of w_ji K(t - t_i), with K(t) = v0 (exp(-t/tau) - exp(-t/tau_s)) for t >= 0
    and the highest K = v_threshold; on the grid t = 0 .. T - 1."""

    def __init__(self, in_features, out_features, T, tau=15.0, tau_s=15.0 / 4, v_threshold=1.0):
        super().__init__()
        self.out_features, self.T, self.tau, self.tau_s = out_features, T, tau, tau_s
        self.v_threshold = v_threshold
        self.model = torch.nn.Module()
        self.model.summation_layer = torch.nn.Linear(in_features, out_features, bias=False)
        peak = tau * tau_s * math.log(tau / tau_s) / (tau - tau_s)
        self.v0 = v_threshold / (math.exp(-peak / tau) - math.exp(-peak / tau_s))

    @staticmethod
    def _psp_kernel(t, tau, tau_s):
        t = t.clamp_min(0)
        return torch.exp(-t / tau) - torch.exp(-t / tau_s)

    def mse_loss(self, v_max, label):
        wrong = (v_max >= self.v_threshold) != F.one_hot(label, self.out_features).bool()
        return ((v_max - self.v_threshold) * wrong).square().sum() / label.shape[0]

    def forward(self, in_spikes, ret_type):
        """in_spikes[batch][in_features], negative for none -> "v" [batch][out_features][T], its maximum
        "v_max", or "spikes", the first time of the maximum, negated for an output that stays silent. The
        gradient of the time is that of its softmax."""
        t = torch.arange(self.T)
        times = in_spikes.unsqueeze(2)
        psp = self.v0 * self._psp_kernel(t - times, self.tau, self.tau_s) * (times >= 0).float()
        v = self.model.summation_layer(psp.transpose(1, 2)).transpose(1, 2)
        if ret_type == "v":
            return v
        v_max, first = v.max(dim=2).values, v.argmax(dim=2)
        if ret_type == "v_max":
            return v_max
        sign = (v_max >= self.v_threshold).to(v.dtype) * 2 - 1
        soft = (F.softmax(v * self.T, dim=2) * t).sum(dim=2) * sign
        return soft + (first * sign - soft).detach()


def _from_checkout(top, module):
    """A file of its own: the package as a whole needs more than torch."""
    path = pathlib.Path(top) / "spikingjelly" / "timing_based" / f"{module}.py"
    spec = importlib.util.spec_from_file_location(module, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


_checkout = os.environ.get("TEMPOTRON_SPIKINGJELLY")
if _checkout:
    GaussianTuning = _from_checkout(_checkout, "encoding").GaussianTuning
    Tempotron = _from_checkout(_checkout, "neuron").Tempotron


def numbers(value):
    """A tensor, or what JSON takes, as numbers of nine digits, from which float32 reads back exactly."""
    if isinstance(value, torch.Tensor):
        value = value.detach().tolist()
    if isinstance(value, list):
        return [numbers(item) for item in value]
    return float("%.9g" % value) if isinstance(value, float) else value


def whole(value):
    """Likewise, with 1 instead of 1.0."""
    value = numbers(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if value == int(value) else value
