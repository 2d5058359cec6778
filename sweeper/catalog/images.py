"""A folder of images, one subfolder a class, through Pillow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from sweeper.catalog.options import choice, number, path_of
from sweeper.catalog.preprocessing import Pixels
from sweeper.data import Array, DataInfo, Dataset
from sweeper.errors import DataError

_SUFFIXES = frozenset(".bmp .gif .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split())
_MODES = {"rgb": "RGB", "grayscale": "L"}


def load(name: str, options: Mapping[str, Any], folder: Path) -> Dataset:
    """Images as (size, size, channels) bytes; classes are the names of the subfolders, sorted.

    Files with other suffixes than those of images are passed over. An image is turned upright as its EXIF data say
    and resized to a square without regard to its proportions.

    Raises:
        DataError: fewer than two subfolders, one without images, or an image that cannot be read.
    """
    path = path_of(options, folder, is_folder=True)
    size = number(options, "size", 64)
    color = choice(options, "color", tuple(_MODES), "rgb")
    mode = _MODES[color or "rgb"]
    files = {entry.name: _images(entry) for entry in _subfolders(path)}
    x = np.empty((sum(map(len, files.values())), size, size, len(mode)), dtype=np.uint8)
    for row, file in enumerate(file for listed in files.values() for file in listed):
        x[row] = _pixels(file, size, mode)
    y = np.repeat(np.arange(len(files), dtype=np.int32), [len(listed) for listed in files.values()])
    info = DataInfo.of(x.shape[1:], classes=len(files), class_names=tuple(files))
    return Dataset(x, y, info, preprocessing=Pixels(), name=path.name)


def _subfolders(path: Path) -> list[Path]:
    found = sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if len(found) < 2:
        received = ", ".join(entry.name for entry in found) or "no subfolder"
        raise DataError.at(str(path), "one subfolder for each of at least two classes", received)
    return found


def _images(subfolder: Path) -> list[Path]:
    found = sorted(
        entry
        for entry in subfolder.iterdir()
        if entry.suffix.lower() in _SUFFIXES and not entry.name.startswith(".") and entry.is_file()
    )
    if not found:
        expected = "images (" + " ".join(sorted(_SUFFIXES)) + ")"
        raise DataError.at(str(subfolder), expected, "none in this folder", "each subfolder is a class; move it away")
    return found


def _pixels(file: Path, size: int, mode: str) -> Array:
    """(size, size, channels) bytes."""
    try:
        with Image.open(file) as opened:
            opened.draft(mode, (size, size))  # lets the JPEG decoder skip detail that resizing would throw away
            upright = ImageOps.exif_transpose(opened)
            image = _eight_bits(upright).convert(mode).resize((size, size), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        received = f"{type(error).__name__}: {error}"
        raise DataError.at(str(file), "an image that can be read", received, "mend it or move it away") from error
    return np.asarray(image, dtype=np.uint8).reshape(size, size, -1)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen-bit grey scaled down; Pillow's own conversion would clip it to white."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.int64) // 256).clip(0, 255).astype(np.uint8))
