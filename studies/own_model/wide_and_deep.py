"""A model function: what the data look like comes in, an uncompiled Keras model goes out.

sweeper chooses the loss, compiles with the optimizer under comparison, and passes `activation` and every parameter that
is not for the optimizer; `width` stands in study.yaml.
"""

import keras

from sweeper.data import DataInfo


def build(info: DataInfo, activation: str, width: int = 24) -> keras.Model:
    inputs = keras.Input(info.input_shape)
    deep = keras.layers.Dense(width, activation)(inputs)
    deep = keras.layers.Dense(width // 2, activation)(deep)
    wide_and_deep = keras.layers.Concatenate()([inputs, deep])
    outputs = keras.layers.Dense(info.output_units, info.output_activation)(wide_and_deep)
    return keras.Model(inputs, outputs)
