"""The built-in models: `build(info, activation, **options)` gives an uncompiled Keras model.

Every one ends in `Dense(info.output_units, info.output_activation)` computed in float32, whatever the precision of the
rest, and applies the compared activation in every hidden layer. `glu` halves its input (Dauphin et al. 2017, arXiv
1612.08083), so the layer before it is made twice as wide: the width that a study names is what comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union

import keras

from sweeper.data import DataInfo
from sweeper.errors import ModelError, SweeperError

LONGEST_UNROLLED = 32
"""Steps of a sequence that are laid out one after the other instead of in a loop: a fifth to a half less time an epoch,
whichever way a model trains; longer sequences would take too long to compile."""

Widths = Union[int, Sequence[int]]

SMALLEST_POOLED_SIDE = 4
"""A picture is halved only while both sides have this many pixels: a smaller one has no neighbourhood left."""


def mlp(
    info: DataInfo,
    activation: str,
    units: Widths = (64, 32),
    **options: Any,
) -> keras.Model:
    """Dense layers on the flattened input.

    Args:
        info: shapes and task of the data; `input_shape` may have any rank.
        activation: Keras name, applied in every hidden layer.
        units: width of each hidden layer.
        options: `dropout` after each hidden layer, `batch_norm` before each activation, `kernel_initializer`, and
            `l2`, the weight decay of the kernels in the loss.

    Raises:
        ModelError: the examples are token ids, whose values are names and not amounts.
    """
    hidden = _Hidden(activation, **options)
    if info.vocabulary is not None:
        raise _misfit("mlp", "examples that are numbers", "sequences of token ids", "model: {name: lstm}")
    inputs = keras.Input(info.input_shape)
    x = keras.layers.Flatten()(inputs) if len(info.input_shape) > 1 else inputs
    for width in _widths(units):
        x = hidden.dense(x, width)
    return _model(info, inputs, x, hidden)


def cnn(
    info: DataInfo,
    activation: str,
    filters: Widths = (16, 32),
    kernel_size: int = 3,
    units: Widths = (64,),
    **options: Any,
) -> keras.Model:
    """Convolutions, each followed by 2x2 max pooling while the picture is large enough, then dense layers.

    Args:
        info: shapes and task; `input_shape` is (height, width) or (height, width, channels).
        activation: Keras name, applied in every hidden layer.
        filters: number of filters of each convolution.
        kernel_size: side of the filters, in pixels.
        units: width of each dense layer after the convolutions.
        options: as for `mlp`.

    Raises:
        ModelError: an example is no picture.
    """
    hidden = _Hidden(activation, **options)
    shape = info.input_shape
    if len(shape) not in (2, 3) or info.vocabulary is not None:
        raise _misfit(
            "cnn", "pictures: input_shape (height, width, channels)", f"input_shape {shape}", "model: {name: mlp}"
        )
    inputs = keras.Input(shape)
    x = keras.layers.Reshape((*shape, 1))(inputs) if len(shape) == 2 else inputs
    for count in _widths(filters):
        x = hidden.convolution(x, count, kernel_size)
        if min(x.shape[1:3]) >= SMALLEST_POOLED_SIDE:
            x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    for width in _widths(units):
        x = hidden.dense(x, width)
    return _model(info, inputs, x, hidden)


def lstm(
    info: DataInfo,
    activation: str,
    units: Widths = 32,
    dense_units: Widths = (),
    embedding: int = 32,
    **options: Any,
) -> keras.Model:
    """Recurrent layers over the steps of an example, then dense layers.

    The compared activation takes the place of tanh inside the cell, and is used in the dense layers; the gates stay
    sigmoid. `glu` cannot stand inside a cell, whose width it would change: there the cell keeps tanh at twice the
    width and `glu` follows it.

    Args:
        info: shapes and task; `input_shape` is (steps, features), (height, width, channels), read row by row, or
            (steps,) with `vocabulary` set.
        activation: Keras name.
        units: width of the recurrent layer, or of each of several.
        dense_units: width of each dense layer after them.
        embedding: length of the vector that stands for a token; token 0 is padding and is skipped.
        options: `dropout` after each layer, `recurrent_dropout` inside the cells, `kernel_initializer`.

    Raises:
        ModelError: an example is no sequence.
    """
    recurrent_dropout = options.pop("recurrent_dropout", 0.0)
    hidden = _Hidden(activation, **options)
    inputs, x = _sequence(info, embedding)
    widths = _widths(units)
    for place, width in enumerate(widths):
        x = hidden.recurrent(x, width, recurrent_dropout, last=place == len(widths) - 1)
    for width in _widths(dense_units):
        x = hidden.dense(x, width)
    return _model(info, inputs, x, hidden)


class _Hidden:
    """What the hidden layers of a model have in common."""

    def __init__(
        self,
        activation: str,
        *,
        dropout: float = 0.0,
        batch_norm: bool = False,
        kernel_initializer: str = "glorot_uniform",
        l2: float = 0.0,
    ) -> None:
        self.activation = activation
        self.factor = 2 if activation == "glu" else 1
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.kernel_initializer = kernel_initializer
        self.l2 = l2

    def kernel(self) -> dict[str, Any]:
        """Arguments of a layer's kernel; an initializer of its own, so that layers do not share a seed."""
        regularizer = keras.regularizers.L2(self.l2) if self.l2 else None
        return {"kernel_initializer": self.kernel_initializer, "kernel_regularizer": regularizer}

    def dense(self, x: Any, width: int) -> Any:
        """Dense, batch norm, activation, dropout."""
        layer = keras.layers.Dense(width * self.factor, use_bias=not self.batch_norm, **self.kernel())
        return self._after(layer(x))

    def convolution(self, x: Any, count: int, kernel_size: int) -> Any:
        """Convolution that keeps the size of the picture, batch norm, activation, dropout."""
        layer = keras.layers.Conv2D(
            count * self.factor, kernel_size, padding="same", use_bias=not self.batch_norm, **self.kernel()
        )
        return self._after(layer(x))

    def recurrent(self, x: Any, width: int, recurrent_dropout: float, *, last: bool) -> Any:
        """LSTM with the activation inside its cell, dropout."""
        gated = self.activation == "glu"
        x = keras.layers.LSTM(
            width * self.factor,
            activation="tanh" if gated else self.activation,
            return_sequences=not last,
            recurrent_dropout=recurrent_dropout,
            unroll=x.shape[1] <= LONGEST_UNROLLED,
            **self.kernel(),
        )(x)
        x = self._activated(x) if gated else x
        return keras.layers.Dropout(self.dropout)(x) if self.dropout else x

    def _after(self, x: Any) -> Any:
        x = keras.layers.BatchNormalization()(x) if self.batch_norm else x
        x = self._activated(x)
        return keras.layers.Dropout(self.dropout)(x) if self.dropout else x

    def _activated(self, x: Any) -> Any:
        if self.activation == "glu":  # Keras 3.15's Activation("glu") reports the width it was given, not the half
            return keras.ops.glu(x)
        return keras.layers.Activation(self.activation)(x)


def _model(info: DataInfo, inputs: Any, x: Any, hidden: _Hidden) -> keras.Model:
    head = keras.layers.Dense(info.output_units, activation=info.output_activation, dtype="float32", **hidden.kernel())
    return keras.Model(inputs, head(x))


def _sequence(info: DataInfo, embedding: int) -> tuple[Any, Any]:
    """The input and the same as (steps, features)."""
    shape = info.input_shape
    if info.vocabulary is not None and len(shape) == 1:
        inputs = keras.Input(shape, dtype="int32")
        return inputs, keras.layers.Embedding(info.vocabulary, embedding, mask_zero=True)(inputs)
    if len(shape) == 2:
        inputs = keras.Input(shape)
        return inputs, inputs
    if len(shape) == 3:
        height, width, channels = shape
        inputs = keras.Input(shape)
        return inputs, keras.layers.Reshape((height, width * channels))(inputs)
    raise _misfit("lstm", "sequences: input_shape (steps, features)", f"input_shape {shape}", "model: {name: mlp}")


def _widths(units: Widths) -> tuple[int, ...]:
    return (units,) if isinstance(units, int) else tuple(units)


def _misfit(name: str, expected: str, received: str, cure: str) -> SweeperError:
    return ModelError.at(f"model {name}", expected, received, cure)
