"""The network of the SIIM lesson "Simple Binary Classifier using Keras", exactly.

Six times (3 x 3 valid convolution, ReLU, 2 x 2 max pool), flatten, dropout, two dense layers:
109,073 parameters. Two identities make it several times faster without changing its function:

- max pool and ReLU commute, so in training the pool comes first and the ReLU has a quarter of the work;
- an RGB image made from grey has three equal channels, so convolving it is convolving the one grey
  channel with the kernel summed over its input channels. The gradients are the same too, and the
  published parameter count is kept.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every torch programme uses
from torch import Tensor, nn

from gadoscope.models.blocked import ConvolutionLayer, can_block, convolve_and_pool
from gadoscope.models.lesson import (
    DENSE_UNITS,
    DROPOUT_RATE,
    FILTERS,
    INPUT_SIZE,
    KERNEL_SIZE,
    LESSON_SEED,
    N_FEATURES,
    POOL_SIZE,
    RGB_CHANNELS,
    map_sizes,
)
from gadoscope.models.network import Layer, Network, count_parameters


class Siim(Network):
    """The lesson's network: a batch of grey slices becomes a logit of POST_CONTRAST each.

    Parameters
    ----------
    generator
        The only source of the weights: the same seed gives the same weights, and torch's global
        generator stays untouched. By default one seeded with the lesson's 1020.

    Notes
    -----
    Convolutions and the last layer are Glorot uniform, the first dense layer He uniform, biases
    zero. The features are flattened as (row, column, channel), Keras' order, which costs nothing
    in the channels-last memory format.
    """

    n_features = N_FEATURES
    dropout_rate = DROPOUT_RATE

    def __init__(self, generator: torch.Generator | None = None) -> None:
        super().__init__()
        inputs = (RGB_CHANNELS, *FILTERS[:-1])
        # On "meta" nothing is drawn: torch's own initialisation would use the global generator.
        with torch.device("meta"):
            for index, (n_in, n_out) in enumerate(zip(inputs, FILTERS, strict=True), start=1):
                self.add_module(f"conv{index}", nn.Conv2d(n_in, n_out, KERNEL_SIZE))
            self.dense1 = nn.Linear(self.n_features, DENSE_UNITS)
            self.dense2 = nn.Linear(DENSE_UNITS, 1)
        self.to_empty(device="cpu")
        # torch's type stub lacks this documented overload.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._initialise(generator or torch.Generator().manual_seed(LESSON_SEED))

    @property
    def convolutions(self) -> list[nn.Conv2d]:
        """The six convolutions, first to last."""
        return [module for module in self.children() if isinstance(module, nn.Conv2d)]

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        for layer in self.children():
            assert isinstance(layer, nn.Conv2d | nn.Linear)  # noqa: S101 - narrows the type only
            limit = he_uniform_limit if layer is self.dense1 else glorot_uniform_limit
            layer.weight.uniform_(-1, 1, generator=generator).mul_(limit(layer.weight))
            assert layer.bias is not None  # noqa: S101 - narrows the type only
            layer.bias.zero_()

    def forward(self, images: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return the logits, shape (n,).

        Parameters
        ----------
        images
            Grey slices in [0, 1], shape (n, 1, 331, 331), float.
        keep
            Dropout mask, shape (n, 576): 0 where a feature is dropped, 1 / (1 - rate) where it is
            kept. ``None`` at inference. It is an argument, not a random draw in here, so that the
            mask of an image cannot depend on batch size, rank or resume.
        """
        first, *others = self.convolutions
        kernel = first.weight.sum(dim=1, keepdim=True)
        layers = [(kernel, first.bias), *((layer.weight, layer.bias) for layer in others)]
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32
        if can_block(images, dtype):
            maps = convolve_and_pool(images, layers, dtype)
        else:
            maps = self._convolve_and_pool(images, layers)
        features = maps.permute(0, 2, 3, 1).flatten(1)
        if keep is not None:
            features = features * keep
        logits: Tensor = self.dense2(F.relu(self.dense1(features)))
        return logits.squeeze(1)

    def layers(self) -> list[Layer]:
        """Return the layer table."""
        return layer_table(self)

    def _convolve_and_pool(self, maps: Tensor, layers: Sequence[ConvolutionLayer]) -> Tensor:
        """Return the maps of the last stage, by operations that every device knows."""
        # An image of one channel is channels-first and channels-last at once, and torch then takes
        # the slow one for all that follows. These strides say channels-last: twice as fast.
        maps = maps.squeeze(1).unsqueeze(-1).permute(0, 3, 1, 2)
        for kernel, bias in layers:
            maps = F.conv2d(maps, kernel, bias)
            # Training does less work pool first. ONNX Runtime, for which the network is exported in
            # evaluation mode, computes a ReLU that follows a convolution within it, at no cost.
            if self.training:
                maps = F.relu(F.max_pool2d(maps, POOL_SIZE))
            else:
                maps = F.max_pool2d(F.relu(maps), POOL_SIZE)
        return maps


def glorot_uniform_limit(weight: Tensor) -> float:
    """Return the bound of Keras' ``GlorotUniform``: sqrt(6 / (fan in + fan out)).

    A fan counts the receptive field, so that of a 3 x 3 convolution is 9 times its channels.

    References
    ----------
    Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward networks
    """
    fan_in, fan_out = _fans(weight)
    return math.sqrt(6 / (fan_in + fan_out))


def he_uniform_limit(weight: Tensor) -> float:
    """Return the bound of Keras' ``HeUniform``: sqrt(6 / fan in).

    References
    ----------
    He et al. 2015, Delving deep into rectifiers
    """
    return math.sqrt(6 / _fans(weight)[0])


def _fans(weight: Tensor) -> tuple[int, int]:
    n_out, n_in = weight.shape[:2]
    receptive_field = math.prod(weight.shape[2:])
    return n_in * receptive_field, n_out * receptive_field


def layer_table(model: Siim) -> list[Layer]:
    """Return the rows of Keras' summary of the lesson: a ReLU belongs to the layer before it."""
    rows = [Layer("input", (INPUT_SIZE, INPUT_SIZE, RGB_CHANNELS), 0)]
    for index, (convolution, (convolved, pooled)) in enumerate(
        zip(model.convolutions, map_sizes(), strict=True), start=1
    ):
        n_filters = convolution.out_channels
        rows += [
            Layer(f"conv{index}", (convolved, convolved, n_filters), count_parameters(convolution)),
            Layer(f"pool{index}", (pooled, pooled, n_filters), 0),
        ]
    return [
        *rows,
        Layer("flatten", (model.n_features,), 0),
        Layer("dropout", (model.n_features,), 0),
        Layer("dense1", (model.dense1.out_features,), count_parameters(model.dense1)),
        Layer("dense2", (model.dense2.out_features,), count_parameters(model.dense2)),
        Layer("sigmoid", (model.dense2.out_features,), 0),
    ]
