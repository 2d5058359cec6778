"""Parts of an exported script as text; tests run each of them."""

from __future__ import annotations

from collections.abc import Mapping

STANDARDISED = '''\
def prepared(x, x_train):
    """Columns with mean 0 and standard deviation 1 on the training rows; a constant column is 0."""
    inputs = np.zeros(x.shape, dtype=np.float32)
    for column in range(x.shape[1]):
        known = np.array(x_train[:, column], dtype=np.float64)
        if known.max() > known.min():
            inputs[:, column] = (x[:, column] - known.mean()) / known.std()
    return inputs'''

COLUMNS = '''\
def prepared(x, x_train):
    """Numbers standardised, words one-hot, gaps filled with the median; all of it as the training rows have it.

    Words and gaps that the training rows do not have give zeros: their weights were never trained.
    """
    inputs = []
    for column, (_, words, missing) in enumerate(COLUMNS):
        values, known = x[:, column], x_train[:, column]
        gap, fill = np.isnan(values), 0.0
        if words is not None:
            seen = np.bincount(known[~np.isnan(known)].astype(int), minlength=len(words)) > 0
            inputs += [(values == code) & seen[code] for code in range(len(words))]
        else:
            fill = np.median(known[~np.isnan(known)]) if not np.isnan(known).all() else 0.0
            filled = np.where(np.isnan(known), fill, known)
            varies = filled.max() > filled.min()
            scaled = (np.where(gap, fill, values) - filled.mean()) / (filled.std() if varies else 1.0)
            inputs.append(scaled if varies else np.zeros(len(values)))
        if missing:
            inputs.append(gap & np.isnan(known).any())
    return np.column_stack(inputs).astype(np.float32)'''

OWN_PREPARING = '''\
def prepared(x, x_train):
    """As the data set of `load` says; sweeper cannot write that out."""
    return PREPROCESSING.fit(x_train)(x)'''

ARRAYS = """\
loaded, groups = load(**{options}), None
if hasattr(loaded, "info"):  # a sweeper.data.Dataset
    global PREPROCESSING
    PREPROCESSING = loaded.preprocessing
    test = None if loaded.test is None else (loaded.test.x, loaded.test.y)
    return loaded.x, loaded.y, loaded.groups, test
(x, y), test = loaded if isinstance(loaded[0], tuple) else (loaded, None)
x, y = np.asarray(x), np.asarray(y)
test = None if test is None else tuple(map(np.asarray, test))"""

TARGETS: Mapping[str, str] = {
    "classes": """\
flat = lambda labels: labels.argmax(axis=1) if labels.ndim == 2 and labels.shape[1] > 1 else labels.reshape(-1)
known, y = np.unique(flat(y), return_inverse=True)
test = None if test is None else (test[0], np.searchsorted(known, flat(test[1])))""",
    "numbers": """\
flat = lambda numbers: (numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers).astype(np.float64)
y = flat(y)
test = None if test is None else (test[0], flat(test[1]))""",
}

IMAGES = """\
from pathlib import Path
from PIL import Image, ImageOps

suffixes = ".bmp .gif .jpeg .jpg .pbm .pgm .png .ppm .tif .tiff .webp".split()
shown = lambda entry: not entry.name.startswith(".")
classes = sorted(entry for entry in Path({path!r}).iterdir() if entry.is_dir() and shown(entry))
x, y = [], []
for label, folder in enumerate(classes):
    for file in sorted(f for f in folder.iterdir() if f.suffix.lower() in suffixes and shown(f) and f.is_file()):
        with Image.open(file) as opened:
            opened.draft({mode!r}, ({size}, {size}))
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I"):  # sixteen bits
                image = Image.fromarray((np.asarray(image).astype(np.int64) // 256).clip(0, 255).astype(np.uint8))
            image = image.convert({mode!r}).resize(({size}, {size}), Image.Resampling.BILINEAR)
        x.append(np.asarray(image, dtype=np.uint8).reshape({size}, {size}, -1))
        y.append(label)
return np.stack(x), np.array(y, dtype=np.int32), None, None"""

SAMPLES = '''\
{order}


def shortened(x, y, groups, test):
    """{samples} of the rows, in a fixed order in which classes take turns, and as large a share of fixed test rows."""
    rows = fixed_order(y, {is_regression}, np.random.default_rng({seed}))[:{samples}]
    if test is not None:
        kept = max(round({samples} * len(test[1]) / len(y)), min({least}, len(test[1])))
        chosen = fixed_order(test[1], {is_regression}, np.random.default_rng({seed}))[:kept]
        test = test[0][chosen], test[1][chosen]
    return x[rows], y[rows], groups, test'''
