"""What SpikingJelly takes for one sample of MNIST's shape, on one thread: a training step of a batch
of 64 as its example makes it (encode, forward, mse_loss, backward, Adam), and the prediction of a
single sample. Prints two numbers, in microseconds a sample. Takes the path of its checkout."""

import importlib.util
import sys
import time

import torch

BATCH, STEPS, PREDICTIONS = 64, 3, 20
FEATURES, NEURONS, T, OUTPUTS = 784, 16, 100, 10


def load(checkout, name):
    path = f"{checkout}/spikingjelly/timing_based/{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def images(count):
    """Four of five pixels are 0, as in bench/support/images.c."""
    values = torch.rand(count, 1, FEATURES)
    return values * (torch.rand(count, 1, FEATURES) < 0.2)


def main():
    checkout = sys.argv[1]
    torch.set_num_threads(1)
    torch.manual_seed(0)
    encoder = load(checkout, "encoding").GaussianTuning(
        n=1, m=NEURONS, x_min=torch.zeros(1), x_max=torch.ones(1)
    )
    model = load(checkout, "neuron").Tempotron(FEATURES * NEURONS, OUTPUTS, T)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def encode(x):
        return encoder.encode(x, T).flatten(1)

    def step():
        x, label = images(BATCH), torch.randint(OUTPUTS, (BATCH,))
        v_max = model(encode(x), "v_max")
        try:
            loss = model.mse_loss(v_max, label)
        except TypeError:  # a static method of four arguments in older versions
            loss = model.mse_loss(v_max, 1.0, label, OUTPUTS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def predict():
        with torch.no_grad():
            return model(encode(images(1)), "v_max").argmax(1)

    def least(function, times):
        function()
        best = float("inf")
        for _ in range(times):
            begin = time.perf_counter()
            function()
            best = min(best, time.perf_counter() - begin)
        return best * 1e6

    print(f"{least(step, STEPS) / BATCH:.1f} {least(predict, PREDICTIONS):.1f}")


main()
