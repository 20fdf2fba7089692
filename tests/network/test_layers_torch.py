"""Layers against PyTorch: loss, gradients and predictions."""

import numpy as np
import pytest

from skdeep._network.inference import raw_output
from skdeep._network.input_layers import PeriodicEmbedding, Scaling
from tests.network.test_layers import Problem, network_of


def n_arrays(layer):
    return len(layer.shapes) + len(layer.fixed_shapes)


def torch_inputs(torch, network, arrays):
    """The input layers in PyTorch, as a function of x; `arrays` are its tensors."""

    def forward(x):
        rest = list(arrays)
        for layer in network.inputs:
            own = [rest.pop(0) for _ in range(n_arrays(layer))]
            if isinstance(layer, Scaling):
                x = x * own[0][:, 0]
                continue
            n = layer.n_numeric
            grouped = [array.reshape(n, -1, array.shape[-1]) for array in own]
            weights, biases, first, second = grouped[0], *(a[..., 0] for a in grouped[1:])
            numeric = x[:, :n, None]
            if isinstance(layer, PeriodicEmbedding):
                basis = torch.cos(2 * torch.pi * numeric * first + second)
            else:
                basis = ((numeric - first) * second).clamp(0, 1)
            encoded = torch.einsum("rib,icb->ric", basis, weights) + biases
            x = torch.cat([encoded.flatten(1), x], dim=1)
        return x

    return forward


def torch_twin(torch, network, params, name):
    """The dense layers in PyTorch, in float64."""
    modules = []
    norms = iter(params.norms)
    for layer, weights in zip(network.layers, params.weights, strict=True):
        linear = torch.nn.Linear(layer.n_in, layer.n_out, layer.bias, dtype=torch.float64)
        linear.weight.data = torch.tensor(weights.T.copy())
        modules.append(linear)
        if layer.norm:
            kind = torch.nn.BatchNorm1d if "batch" in name else torch.nn.LayerNorm
            norm = kind(layer.n_out, dtype=torch.float64)
            norm.weight.data = torch.tensor(next(norms)[0].copy())
            norm.bias.data = torch.tensor(next(norms)[0].copy())
            if "batch" in name:
                norm.running_mean.data = torch.tensor(next(norms)[0].copy())
                norm.running_var.data = torch.tensor(next(norms)[0].copy())
            modules.append(norm)
        if layer is not network.layers[-1]:
            modules.append(torch.nn.Tanh())
    twin = torch.nn.Sequential(*modules)
    linears = [module for module in modules if isinstance(module, torch.nn.Linear)]
    for linear, bias in zip(linears, params.biases, strict=False):
        linear.bias.data = torch.tensor(bias[0].copy())
    return twin


@pytest.mark.parametrize(
    "name",
    [
        *("plain", "no bias", "batch norm", "layer norm", "batch norm, no bias"),
        *("scaling", "periodic", "piecewise, scaling"),
    ],
)
def test_agrees_with_pytorch(name):
    torch = pytest.importorskip("torch")
    problem = Problem(network_of(name))
    network, batch = problem.network, problem.batch
    problem.alpha[...] = 0
    params = network.views(problem.theta)
    twin = torch_twin(torch, network, params, name)
    arrays = [torch.tensor(array.copy()) for array in params.inputs]
    trains = [k < len(each.shapes) for each in network.inputs for k in range(n_arrays(each))]
    for array, trained in zip(arrays, trains, strict=True):
        array.requires_grad_(trained)
    inputs = torch_inputs(torch, network, arrays)
    x, y, weight = (torch.tensor(array) for array in (batch.x, batch.y, batch.weight))
    for _ in range(3):  # so that running averages change
        twin.zero_grad()
        for array in arrays:
            array.grad = None
        value = (0.5 * (twin(inputs(x)) - y) ** 2 * weight).sum()
        value.backward()
        assert problem.total() == pytest.approx(value.item(), rel=1e-12)
    grads = network.views(problem.grad)
    ours = [*(w.T for w in grads.weights), *grads.biases, *grads.norms, *grads.inputs]
    linears = [m for m in twin if isinstance(m, torch.nn.Linear)]
    normed = [m for m in twin if hasattr(m, "weight") and not isinstance(m, torch.nn.Linear)]
    theirs = [m.weight.grad for m in linears]
    theirs += [m.bias.grad for m in linears if m.bias is not None]
    theirs += [grad for m in normed for grad in (m.weight.grad, m.bias.grad)]
    theirs += [array.grad for array in arrays if array.grad is not None]
    for one, other in zip(ours, theirs, strict=True):
        one = one if one.shape == other.shape else one[0]
        np.testing.assert_allclose(one, other.numpy(), rtol=1e-9, atol=1e-13)
    twin.eval()
    raw = twin(inputs(x)).detach().numpy()
    np.testing.assert_allclose(raw_output(network, params, batch.x), raw, rtol=1e-10)
