"""Writes sequence.json: what PyTorch computes, in f64, for recurrent layers and attention. Run: python3 sequence.py > sequence.json"""
import json
import torch

torch.manual_seed(3)
torch.set_default_dtype(torch.float64)
N, T, C, H = 2, 4, 3, 4


def rounded(t):
    return torch.round(t * 1000) / 1000


def flat(t):
    return {"shape": list(t.shape), "values": t.detach().flatten().tolist()}


def case(layer, module, names, run, width, skip=()):
    """names: ours for PyTorch's parameters; what is skipped is set to zero, since it only repeats another bias."""
    for name, p in module.named_parameters():
        p.data = torch.zeros_like(p) if name in skip else rounded(p.data)
    x = rounded(torch.randn(N, T, width)).requires_grad_()
    y = run(module, x)
    dy = rounded(torch.randn_like(y))
    parameters = {ours: dict(module.named_parameters())[theirs] for ours, theirs in names.items()}
    gradients = torch.autograd.grad(y, [x, *parameters.values()], dy)
    return {"layer": json.dumps(layer), "x": flat(x), "y": flat(y), "dy": flat(dy), "dx": flat(gradients[0]), "parameters": [
        {"name": n, "value": flat(p), "gradient": flat(g)} for (n, p), g in zip(parameters.items(), gradients[1:])]}


def recurrent(kind, module, last, **more):
    names = {f"{kind}1.x.weight": "weight_ih_l0", f"{kind}1.x.bias": "bias_ih_l0", f"{kind}1.h.weight": "weight_hh_l0"}
    skip = ("bias_hh_l0",)
    if kind == "gru":
        names["gru1.h.bias"], skip = "bias_hh_l0", ()
    layer = {kind: {"out": H, "output": "last" if last else "all", **more}}
    return case(layer, module, names, lambda m, x: m(x)[0][:, -1] if last else m(x)[0], C, skip)


def both_ways():
    module = torch.nn.LSTM(C, H, batch_first=True, bidirectional=True)
    names = {f"lstm1{ours}.{p}": theirs + end for ours, end in (("", ""), (".backward", "_reverse"))
             for p, theirs in (("x.weight", "weight_ih_l0"), ("x.bias", "bias_ih_l0"), ("h.weight", "weight_hh_l0"))}
    layer = {"lstm": {"out": H, "output": "all", "direction": "both"}}
    return case(layer, module, names, lambda m, x: m(x)[0], C, ("bias_hh_l0", "bias_hh_l0_reverse"))


class Attention(torch.nn.Module):
    """torch.nn.MultiheadAttention with its joint weight in three parts."""

    def __init__(self, width, heads, causal):
        super().__init__()
        self.heads, self.causal = heads, causal
        for part in "qkvo":
            self.register_parameter(part, torch.nn.Parameter(torch.randn(width, width) / 2))
            self.register_parameter(part + "_bias", torch.nn.Parameter(torch.randn(width)))

    def forward(self, x):
        x = x.transpose(0, 1)
        mask = torch.full((T, T), float("-inf")).triu(1) if self.causal else None
        return torch.nn.functional.multi_head_attention_forward(
            x, x, x, x.shape[2], self.heads, torch.cat([self.q, self.k, self.v]), torch.cat([self.q_bias, self.k_bias, self.v_bias]),
            None, None, False, 0.0, self.o, self.o_bias, need_weights=False, attn_mask=mask)[0].transpose(0, 1)


def attention(heads, causal):
    names = {f"attention1.{p}.{end}": p + theirs for p in "qkvo" for end, theirs in (("weight", ""), ("bias", "_bias"))}
    return case({"attention": {"heads": heads, "causal": causal}}, Attention(4, heads, causal), names, lambda m, x: m(x), 4)


cases = [recurrent("rnn", torch.nn.RNN(C, H, batch_first=True), True),
         recurrent("rnn", torch.nn.RNN(C, H, batch_first=True, nonlinearity="relu"), False, activation="relu"),
         recurrent("lstm", torch.nn.LSTM(C, H, batch_first=True), True), recurrent("lstm", torch.nn.LSTM(C, H, batch_first=True), False),
         recurrent("gru", torch.nn.GRU(C, H, batch_first=True), True), recurrent("gru", torch.nn.GRU(C, H, batch_first=True), False),
         both_ways(), attention(2, False), attention(1, True)]
print('{"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
