"""Small files in the layout of Keras' data cache, and what sweeper makes of them; run with KERAS_HOME set.

Real files carry hashes that small ones cannot have, so the check of the hash is the one thing that is switched off.
Prints one JSON document.
"""

import gzip
import io
import json
import os
import pickle
import struct
import sys
import tarfile
from pathlib import Path

import numpy as np

from sweeper.errors import DataError

CACHE = Path(os.environ["KERAS_HOME"]) / "datasets"
RNG = np.random.default_rng(0)
PIXELS = {"x_train": (40, 28, 28), "x_test": (20, 28, 28)}


def write_mnist():
    images = {role: RNG.integers(0, 256, shape, dtype=np.uint8) for role, shape in PIXELS.items()}
    labels = {"y_train": np.arange(40, dtype=np.uint8) % 10, "y_test": np.arange(20, dtype=np.uint8) % 10}
    np.savez(CACHE / "mnist.npz", **images, **labels)


def write_fashion_mnist():
    folder = CACHE / "fashion-mnist"
    folder.mkdir()
    for part, rows in (("train", 40), ("t10k", 20)):
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 2049, rows) + (np.arange(rows, dtype=np.uint8) % 10).tobytes())
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">IIII", 2051, rows, 28, 28) + bytes(rows * 28 * 28))


def write_cifar():
    # Keras reads every batch of cifar10 into 10,000 rows, and one row fills them all.
    batches = {f"data_batch_{i}": [i - 1] for i in range(1, 6)} | {"test_batch": list(range(5))}
    write_archive("cifar-10-batches-py", {name: (b"labels", labels) for name, labels in batches.items()})
    parts = {"train": list(range(100)) * 4, "test": list(range(100)) * 2}
    write_archive("cifar-100-python", {name: (b"fine_labels", labels) for name, labels in parts.items()})


def write_archive(name, batches):
    with tarfile.open(CACHE / f"{name}-target_archive", "w:gz") as archive:
        for batch, (key, labels) in batches.items():
            # Protocol 3 writes arrays with the only constructors that Keras lets through.
            content = pickle.dumps({b"data": np.zeros((len(labels), 3072), np.uint8), key: labels}, protocol=3)
            entry = tarfile.TarInfo(f"{name}/{batch}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def write_texts():
    texts = np.empty(60, dtype=object)
    texts[:] = [RNG.integers(1, 50, size=length).tolist() for length in RNG.integers(3, 30, size=60)]
    labels = np.arange(40) % 2
    np.savez(CACHE / "imdb.npz", x_train=texts[:40], y_train=labels, x_test=texts[40:], y_test=labels[:20])
    np.savez(CACHE / "reuters.npz", x=texts, y=np.arange(60) % 4)


def write_tables():
    for name, columns in (("boston_housing", 13), ("california_housing", 8)):
        np.savez(CACHE / f"{name}.npz", x=RNG.normal(50, 9, size=(100, columns)), y=RNG.normal(20, 5, size=100))


def main():
    CACHE.mkdir(parents=True)
    for write in (write_mnist, write_fashion_mnist, write_cifar, write_texts, write_tables):
        write()
    import keras.src.utils.file_utils as file_utils

    file_utils.validate_file = lambda *arguments, **options: True
    from sweeper.catalog.datasets import load

    options = {
        "keras:imdb": {"vocabulary": 20, "length": 12},
        "keras:reuters": {"vocabulary": 20, "length": 12},
        "keras:cifar10": {"samples": 100},
    }
    document = {}
    for name in sys.argv[1:]:
        data = load(name, options.get(name, {}), Path())
        split = data.split(0)
        train, test = split.train, split.open_test()
        document[name] = {
            "task": str(data.info.task),
            "input_shape": data.info.input_shape,
            "classes": data.info.classes,
            "names": data.info.class_names,
            "vocabulary": data.info.vocabulary,
            "raw": str(data.x.dtype),
            "inputs": str(train.x.dtype),
            "range": [float(train.x.min()), float(train.x.max())],
            "rows": data.sizes(),
            "shapes": [train.x.shape[1:], test.x.shape[1:]],
            "test_rows": len(test),
        }
    document["failure"] = failure(load)
    sys.stdout.write(json.dumps(document))


def failure(load):
    (CACHE / "mnist.npz").unlink()
    os.environ["https_proxy"] = "http://127.0.0.1:9"  # nobody listens on the port of discard
    try:
        load("keras:mnist", {}, Path())
    except DataError as error:
        return error.to_dict()


main()
