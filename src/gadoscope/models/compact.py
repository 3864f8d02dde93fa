"""The default network: small enough to read on a page, and for 5 ms on one core.

Five stages of (3 x 3 convolution, 2 x 2 max pool, batch norm, ReLU), the last three followed by a residual
block; then the average and the maximum of each map, dropout, and a linear layer. The maximum sees one bright
vessel anywhere, the average the grey of the whole head. The gate looks at the last three stages: what tells
T1 from T2 or a knee is texture as much as shape.

References
----------
He et al., Deep residual learning for image recognition, 2016
Ioffe and Szegedy, Batch normalization, 2015
"""

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from torch import Tensor, nn

from gadoscope.models.network import Answer, Layer, Network, count_parameters

INPUT_SIZE = 160
CHANNELS = (16, 32, 48, 96, 128)
N_RESIDUAL = 3
GATE_STAGES = 3
KERNEL_SIZE = 3
POOL_SIZE = 2
DROPOUT_RATE = 0.2
GATE_UNITS = 64
"""Of the gate's hidden layer: another contrast is not one direction in the features."""
NORM_EPSILON = 1e-5
NORM_MOMENTUM = 0.1
"""Of the newest batch in the running mean and variance; torch's own."""
DEFAULT_SEED = 0


class Norm(nn.Module):
    """Batch norm, without torch's count of batches, which no ONNX graph would keep.

    Parameters
    ----------
    channels
        Maps, each with a scale and an offset that are learnt, and a running mean and variance.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.register_buffer("running_mean", torch.empty(channels))
        self.register_buffer("running_var", torch.empty(channels))

    @torch.no_grad()
    def initialise(self, scale: float) -> None:
        """Set the learnt scale, and everything else to what changes nothing."""
        self.weight.fill_(scale)
        self.bias.zero_()
        self.running_mean.zero_()
        self.running_var.fill_(1)

    def forward(self, maps: Tensor) -> Tensor:
        """Return ``maps`` normalised: by the batch's own figures in training, else by the running ones."""
        return F.batch_norm(
            maps,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=NORM_MOMENTUM,
            eps=NORM_EPSILON,
        )


class Residual(nn.Module):
    """Maps plus what two convolutions make of them; both have ``channels`` channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = _convolution(channels, channels)
        self.norm1 = Norm(channels)
        self.conv2 = _convolution(channels, channels)
        self.norm2 = Norm(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        inner = F.relu(self.norm1(self.conv1(maps)))
        return F.relu(maps + self.norm2(self.conv2(inner)))


class GateHead(nn.Module):
    """Averages and maxima of several stages in, the logit of "a T1 brain" out.

    Attributes
    ----------
    kinds
        Reads from the same hidden layer what else the image looks like; None until it is fitted, after the
        training (`gadoscope.training.kinds`).
    """

    kinds: nn.Linear | None

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_features, GATE_UNITS)
        self.logit = nn.Linear(GATE_UNITS, 1)
        self.kinds = None

    def forward(self, features: Tensor) -> tuple[Tensor] | tuple[Tensor, Tensor]:
        """Return logits, shape (n,), of features (n, n_features); and of each kind, shape (n, n_kinds)."""
        seen = F.relu(self.hidden(features))
        logits: Tensor = self.logit(seen).squeeze(1)
        return (logits,) if self.kinds is None else (logits, self.kinds(seen))


class Compact(Network):
    """The default network: a batch of grey slices becomes a logit of POST_CONTRAST each.

    Parameters
    ----------
    generator
        The only source of the weights; torch's global generator stays untouched.
    with_gate
        Whether a second head says "a T1 brain".
    channels
        Maps of each stage.
    n_residual
        The last so many stages have a residual block.

    Notes
    -----
    Convolutions and the gate's hidden layer are He normal. The last batch norm of a residual block starts at
    scale zero, so the block first changes nothing (Goyal et al. 2017, section 5.1), the layers that answer
    at zero, so every first answer is 0.5. Images may have any side of 32 pixels or more; `INPUT_SIZE` is what
    it is trained at.
    """

    dropout_rate = DROPOUT_RATE

    def __init__(
        self,
        generator: torch.Generator | None = None,
        *,
        with_gate: bool = False,
        channels: Sequence[int] = CHANNELS,
        n_residual: int = N_RESIDUAL,
    ) -> None:
        super().__init__()
        self.channels = tuple(channels)
        self.n_features = 2 * channels[-1]
        # On "meta" nothing is drawn: torch's own initialisation would use the global generator.
        with torch.device("meta"):
            for stage, (n_in, n_out) in enumerate(zip((1, *channels), channels, strict=False), start=1):
                self.add_module(f"conv{stage}", _convolution(n_in, n_out))
                self.add_module(f"norm{stage}", Norm(n_out))
                if stage > len(channels) - n_residual:
                    self.add_module(f"block{stage}", Residual(n_out))
            self.phase = nn.Linear(self.n_features, 1)
            self.t1_brain = GateHead(2 * sum(channels[-GATE_STAGES:])) if with_gate else None
        self.to_empty(device="cpu")
        # torch's type stub lacks this documented overload.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._initialise(generator or torch.Generator().manual_seed(DEFAULT_SEED))

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        last_norms = {block.norm2 for block in self.modules() if isinstance(block, Residual)}
        hidden = self.t1_brain.hidden if self.t1_brain else None
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_in = module.in_channels * KERNEL_SIZE**2
                module.weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)
            elif isinstance(module, Norm):
                module.initialise(0.0 if module in last_norms else 1.0)
            elif isinstance(module, nn.Linear):
                spread = math.sqrt(2 / module.in_features) if module is hidden else 0.0
                module.weight.normal_(0, spread, generator=generator)
                module.bias.zero_()

    def _stages(self) -> Iterator[tuple[nn.Module, nn.Module, nn.Module | None]]:
        """Yield convolution, batch norm and residual block of each stage."""
        named = dict(self.named_children())
        for stage in range(1, len(self.channels) + 1):
            yield named[f"conv{stage}"], named[f"norm{stage}"], named.get(f"block{stage}")

    def forward(self, images: Tensor, keep: Tensor | None = None) -> Answer:
        """Return the logits, as `Network.forward` says."""
        # An image of one channel is channels-first and channels-last at once, and torch then takes the
        # slow one for all that follows. These strides say channels-last.
        maps = images.squeeze(1).unsqueeze(-1).permute(0, 3, 1, 2)
        n_pooled = 1 if self.t1_brain is None else GATE_STAGES  # the phase is told from the last stage alone
        pooled, first = [], len(self.channels) - n_pooled
        for stage, (convolution, norm, block) in enumerate(self._stages()):
            maps = F.relu(norm(F.max_pool2d(convolution(maps), POOL_SIZE)))
            if block is not None:
                maps = block(maps)
            if stage >= first:
                pooled.append(_pool(maps.float()))
        features = pooled[-1]
        if keep is not None:
            features = features * keep
        phase: Tensor = self.phase(features).squeeze(1)
        if self.t1_brain is None:
            return phase
        answer: Answer = (phase, *self.t1_brain(torch.cat(pooled, dim=1)))
        return answer

    def layers(self) -> list[Layer]:
        """Return the layer table at `INPUT_SIZE`; a ReLU belongs to the layer before it."""
        size, rows = INPUT_SIZE, [Layer("input", (INPUT_SIZE, INPUT_SIZE, 1), 0)]
        for stage, (convolution, norm, block) in enumerate(self._stages(), start=1):
            n_out = self.channels[stage - 1]
            rows.append(Layer(f"conv{stage}", (size, size, n_out), count_parameters(convolution)))
            size //= POOL_SIZE
            rows.append(Layer(f"pool{stage}", (size, size, n_out), 0))
            rows.append(Layer(f"norm{stage}", (size, size, n_out), count_parameters(norm)))
            if block is not None:
                rows.append(Layer(f"block{stage}", (size, size, n_out), count_parameters(block)))
        rows += [Layer("average and max", (self.n_features,), 0), Layer("dropout", (self.n_features,), 0)]
        heads = [("phase", self.phase), ("t1_brain", self.t1_brain)]
        return rows + [Layer(name, (1,), count_parameters(head)) for name, head in heads if head is not None]


def _pool(maps: Tensor) -> Tensor:
    """Return the average and the maximum of each map, shape (n, 2 x channels)."""
    return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)


def _convolution(n_in: int, n_out: int) -> nn.Conv2d:
    """Return a convolution that keeps the size; its offset would be undone by the batch norm behind it."""
    return nn.Conv2d(n_in, n_out, KERNEL_SIZE, padding=KERNEL_SIZE // 2, bias=False)
