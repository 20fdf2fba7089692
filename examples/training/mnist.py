"""
Handwritten digits
==================

How far does one hidden layer get with images, and how fast? The number of epochs is a fixed
budget, during which the learning rate goes through one cycle. The data are the 1,797 small
digits that come with scikit-learn. The baseline is scikit-learn's network with the same
parameters and a constant learning rate.

From the shell, ``--data DIR`` reads the four files of MNIST (IDX format, compressed or not)
from a folder, and ``--data openml`` downloads it: 70,000 images of 28 x 28 pixels, of which
98 % are right after 25 epochs of a 784-50-10 network. ``--dtype float64`` shows how much time
single precision saves, and ``--seeds 3`` the role of chance::

    python examples/training/mnist.py --data DIR
"""

import argparse
import gzip
import struct
import time
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import fetch_openml, load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from skdeep import DeepClassifier

parser = argparse.ArgumentParser(description="Handwritten digits with one hidden layer.")
parser.add_argument("--data", metavar="DIR", help="folder with the IDX files, or openml")
parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
parser.add_argument("--seeds", type=int, default=1, metavar="N", help="number of fits")
arguments = parser.parse_args()
warnings.simplefilter("ignore", ConvergenceWarning)  # the loss is still falling, as intended

# %%
# The images
# ----------
#
# Pixels are scaled to [0, 1] in float32. MNIST comes with its own test images.


def read_idx(folder, name):
    """Contents of the IDX file `name`, or `name`.gz, as an array of bytes."""
    path = folder / name
    if path.exists():
        content = path.read_bytes()
    else:
        content = gzip.decompress(path.with_name(f"{name}.gz").read_bytes())
    zeros, kind, n_axes = struct.unpack_from(">HBB", content)
    if zeros != 0 or kind != 8:
        raise ValueError(f"{path} is not an IDX file of unsigned bytes.")
    shape = struct.unpack_from(f">{n_axes}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def images_and_labels(data):
    """Training images and test images, training labels and test labels."""
    if data is None:
        X, y = load_digits(return_X_y=True)
        return train_test_split(X / np.float32(16), y, stratify=y, random_state=0)
    if data == "openml":
        X, y = fetch_openml(
            "mnist_784", version=1, return_X_y=True, as_frame=False, parser="liac-arff"
        )
        X, y = X / np.float32(255), y.astype(np.uint8)
        return X[:60000], X[60000:], y[:60000], y[60000:]
    images, labels = (
        [read_idx(Path(data), f"{part}-{kind}-ubyte") for part in ("train", "t10k")]
        for kind in ("images-idx3", "labels-idx1")
    )
    return *(each.reshape(len(each), -1) / np.float32(255) for each in images), *labels


X_train, X_test, y_train, y_test = images_and_labels(arguments.data)

# %%
# Twenty-five epochs
# ------------------
#
# The learning rate and the penalty were selected on the last 10,000 training images of MNIST.

SHARED = {"alpha": 0.05, "batch_size": 200 if arguments.data else 32, "max_iter": 25}
accuracies, seconds = [], []
for seed in range(arguments.seeds):
    model = DeepClassifier(
        (50,),
        learning_rate="one_cycle",
        learning_rate_init=0.01,
        dtype=arguments.dtype,
        random_state=seed,
        **SHARED,
    )
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds.append(time.perf_counter() - start)
    accuracies.append(model.score(X_test, y_test))

print(f"test accuracy    {np.mean(accuracies):.4f}")
if arguments.seeds > 1:
    print(f"lowest           {min(accuracies):.4f}")
    print(f"highest          {max(accuracies):.4f}")
print(f"seconds to fit  {np.mean(seconds):>7.1f}")

if arguments.data is None:
    peer = MLPClassifier((50,), learning_rate_init=0.01, random_state=0, **SHARED)
    print(f"MLPClassifier    {peer.fit(X_train, y_train).score(X_test, y_test):.4f}")

# %%
# On images as few and small as these, the two are equal up to chance.
#
# The weights of sixteen hidden units as images: blue pixels speak for a unit, red ones
# against it. Strokes and edges appear, as in the first layer of larger networks.

side = round(X_train.shape[1] ** 0.5)
figure, grid = plt.subplots(2, 8, figsize=(9, 2.6), layout="constrained")
for axes, unit in zip(grid.flat, model.coefs_[0].T, strict=False):
    limit = np.abs(unit).max()
    axes.imshow(unit.reshape(side, side), cmap="RdBu", vmin=-limit, vmax=limit)
    axes.axis("off")
plt.show()
