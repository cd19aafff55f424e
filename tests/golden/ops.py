"""Writes ops.json: what PyTorch computes, in f64, for ops whose formulas are easy to get wrong. Run: python3 ops.py > ops.json"""
import json
import torch
import torch.nn.functional as F

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def leaf(*shape, low=None):
    t = torch.randn(*shape) if low is None else low + torch.rand(*shape)
    return (torch.round(t * 1000) / 1000).requires_grad_()


def case(op, inputs, y, **more):
    """Inputs, output, dL/dy, and the gradients of the inputs, all as flat lists."""
    dy = torch.round(torch.randn_like(y) * 1000) / 1000
    gradients = torch.autograd.grad(y, inputs, dy)
    flat = lambda t: {"shape": list(t.shape), "values": t.detach().flatten().tolist()}
    return {"op": op, "inputs": [flat(t) for t in inputs], "y": flat(y), "dy": flat(dy), "gradients": [flat(g) for g in gradients],
            "statistics": [flat(t) for t in more.get("statistics", [])], "indices": more.get("indices", [])}


def batch_norm():
    """PyTorch has N,C,H,W; rows here are N,H,W. With momentum 1 the running statistics are those of the batch."""
    x, gamma, beta = leaf(4, 2, 2, 3), leaf(3, low=0.5), leaf(3)
    mean, variance = torch.zeros(3), torch.ones(3)
    y = F.batch_norm(x.permute(0, 3, 1, 2), mean, variance, gamma, beta, True, 1.0, 1e-5).permute(0, 2, 3, 1)
    return case("batch_norm", [x, gamma, beta], y, statistics=[mean, variance])


def batch_norm_fixed():
    x, gamma, beta = leaf(5, 3), leaf(3, low=0.5), leaf(3)
    mean, variance = leaf(3).detach(), leaf(3, low=0.5).detach()
    return case("batch_norm_fixed", [x, gamma, beta], F.batch_norm(x, mean, variance, gamma, beta, False, 0.1, 1e-5), statistics=[mean, variance])


def layer_norm():
    x, gamma, beta = leaf(4, 5), leaf(5, low=0.5), leaf(5)
    return case("layer_norm", [x, gamma, beta], F.layer_norm(x, (5,), gamma, beta, 1e-5))


def pooled(op, function, x):
    return case(op, [x], function(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


def conv2d():
    x, w, b = leaf(2, 6, 5, 4), leaf(6, 3, 2, 2), leaf(6)
    y = F.conv2d(x.permute(0, 3, 1, 2), w.permute(0, 3, 1, 2), b, stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2)
    return case("conv2d", [x, w, b], y.permute(0, 2, 3, 1))


def embedding():
    table, indices = leaf(5, 3), [4, 1, 1, 0, 4, 2]
    return case("embedding", [table], F.embedding(torch.tensor(indices).reshape(2, 3), table), indices=indices)


def losses():
    z, labels = leaf(5, 4), [2, 0, 3, 1, 3]
    t = torch.tensor(labels)
    yield case("cross_entropy", [z], F.cross_entropy(z, t), indices=labels)
    yield case("cross_entropy_smoothed", [z], F.cross_entropy(z, t, label_smoothing=0.1), indices=labels)
    yield case("binary_cross_entropy", [z], F.binary_cross_entropy_with_logits(z, F.one_hot(t, 4).to(z)), indices=labels)
    one, bits = leaf(5, 1), [1, 0, 1, 1, 0]
    yield case("binary_cross_entropy", [one], F.binary_cross_entropy_with_logits(one, torch.tensor(bits).to(one).reshape(5, 1)), indices=bits)
    signs = 2 * F.one_hot(t, 4).to(z) - 1
    yield case("squared_hinge", [z], (1 - signs * z).clamp(min=0).square().mean(), indices=labels)
    y, target = leaf(3, 4), leaf(3, 4)
    yield case("mse", [y, target], F.mse_loss(y, target))


def elementwise():
    sigmoid6 = lambda x: (x / 6 + 0.5).clamp(0, 1)  # F.hardsigmoid has a float32 1/6 in its gradient
    functions = {"leaky_relu": F.leaky_relu, "relu6": F.relu6, "hard_tanh": F.hardtanh, "hard_sigmoid": sigmoid6, "hard_swish": F.hardswish,
                 "sigmoid": torch.sigmoid, "tanh": torch.tanh, "elu": F.elu, "softplus": F.softplus, "gelu": F.gelu, "silu": F.silu, "relu": F.relu}
    for name, function in functions.items():
        x = (leaf(16).detach() * 3).requires_grad_()
        yield case(name, [x], function(x))


def taught():
    """What a student learns from a teacher: its scores, and which examples are alike."""
    z, scores, T = leaf(5, 4), leaf(5, 4).detach(), 3
    kl = F.kl_div(F.log_softmax(z / T, 1), F.log_softmax(scores / T, 1), reduction="batchmean", log_target=True)
    yield case("distillation", [z], T * T * kl, statistics=[scores])
    x, features = leaf(4, 3, 2), leaf(4, 5).detach()
    alike = lambda f: F.normalize(f.flatten(1) @ f.flatten(1).T, dim=1)
    yield case("similarity", [x], (alike(x) - alike(features)).square().mean(), statistics=[features])


cases = [batch_norm(), batch_norm_fixed(), layer_norm(), conv2d(), embedding(),
         pooled("max_pool2d", lambda x: F.max_pool2d(x, (3, 2), (2, 1), (1, 1)), leaf(2, 5, 6, 2)),
         pooled("avg_pool2d", lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1), count_include_pad=False), leaf(2, 5, 6, 2)),
         *losses(), *elementwise(), *taught()]
print('{"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
