"""The data sets of `keras.datasets`, cached where Keras caches them: `~/.keras/datasets`, or below `KERAS_HOME`.

Importing Keras imports TensorFlow, and the first use downloads. Images stay bytes until a split prepares them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from sweeper.catalog.options import number
from sweeper.catalog.preprocessing import Pixels, Table
from sweeper.data import Array, DataInfo, Dataset, Part
from sweeper.errors import DataError

Arrays = tuple[tuple[Array, Array], tuple[Array, Array]]

_TEXTS = ("imdb", "reuters")
_TABLES = ("boston_housing", "california_housing")

_CLASSES: Mapping[str, tuple[str, ...]] = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "cifar10": tuple("airplane automobile bird cat deer dog frog horse ship truck".split()),
    "cifar100": tuple(str(label) for label in range(100)),
}
"""In the order of the labels, as Keras documents them; the labels of cifar100 come without names."""


def load(name: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    """`keras:<name>`, with the test part that Keras defines.

    Args:
        name: `keras:mnist` and so on.
        options: for `imdb` and `reuters` how many of the most frequent words to tell apart (`vocabulary`, default
            10,000) and the number of tokens that a text is cut or padded to, at its front (`length`, default 200).
        folder: not used.

    Raises:
        DataError: the data are neither in the cache nor can they be downloaded.
    """
    short = name.partition(":")[2]
    if short in _TEXTS:
        return _texts(short, options)
    arrays = _load_data(short)
    return _table(name, arrays) if short in _TABLES else _images(name, arrays, _CLASSES[short])


def _texts(short: str, options: Mapping[str, Any]) -> Dataset:
    # Below four there is no word: Keras keeps 0 for padding, 1 for the start and 2 for unknown words.
    vocabulary = number(options, "vocabulary", 10_000, least=4)
    length = number(options, "length", 200)
    (x, y), (x_test, y_test) = _load_data(short, num_words=vocabulary)
    names = ("negative", "positive") if short == "imdb" else tuple(keras.datasets.reuters.get_label_names())
    info = DataInfo.of((length,), classes=len(names), class_names=names, vocabulary=vocabulary)
    test = Part(_padded(x_test, length), _ids(y_test))
    return Dataset(_padded(x, length), _ids(y), info, test, name=f"keras:{short}")


def _table(name: str, arrays: Arrays) -> Dataset:
    (x, y), (x_test, y_test) = arrays
    table = Table.of_numbers([f"x{column}" for column in range(x.shape[1])])
    info = DataInfo.of(x.shape[1:], classes=None, feature_names=table.inputs)
    test = Part(x_test.astype(np.float64), y_test)
    return Dataset(x.astype(np.float64), y, info, test, preprocessing=table, name=name)


def _images(name: str, arrays: Arrays, classes: tuple[str, ...]) -> Dataset:
    (x, y), (x_test, y_test) = arrays
    images = _with_channel(x)
    info = DataInfo.of(images.shape[1:], classes=len(classes), class_names=classes)
    test = Part(_with_channel(x_test), _ids(y_test))
    return Dataset(images, _ids(y), info, test, preprocessing=Pixels(), name=name)


def _load_data(short: str, **options: Any) -> Arrays:
    module = getattr(keras.datasets, short)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # Keras draws the progress of a download on stdout
            arrays: Arrays = module.load_data(**options)
            return arrays
    except Exception as error:  # Keras raises plain exceptions where a download fails
        raise DataError.at(
            f"data.name: keras:{short}",
            f"a download, or the file in {Path(os.environ.get('KERAS_HOME', '~/.keras')) / 'datasets'}",
            f"{type(error).__name__}: {error}",
            "load it once on a machine with network access and copy that folder here",
        ) from error


def _padded(texts: Array, length: int) -> Array:
    return np.asarray(keras.utils.pad_sequences(texts, maxlen=length, dtype="int32"))


def _with_channel(images: Array) -> Array:
    return images[..., None] if images.ndim == 3 else np.ascontiguousarray(images)


def _ids(labels: Array) -> Array:
    return np.asarray(labels).reshape(-1).astype(np.int32)
