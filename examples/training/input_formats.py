"""
From files to predictions and back
==================================

How do data get from a file into a network, and the network into a file? pandas and
scikit-learn read, split and scale; the network is the last step of a pipeline. Labels can be
strings: ``predict`` returns them, even from a model that was saved and loaded. The files are
created in a temporary folder. The baseline of each table is its most frequent class.
"""

import tempfile
import warnings
from pathlib import Path

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import dump_svmlight_file, load_digits, load_iris, load_svmlight_file
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, StandardScaler

from skdeep import DeepClassifier
from skdeep.persistence import load, save

warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a fixed budget
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)


def network():
    return DeepClassifier((30,), learning_rate_init=0.01, max_iter=100, random_state=0)


def row(name, model, X_test, y_test):
    always = DummyClassifier().fit(X_test, y_test).score(X_test, y_test)
    score = model.score(X_test, y_test)
    print(f"{name:<34} {len(y_test):>9} {always:>10.3f} {score:>9.3f}")


# %%
# CSV with labels that are strings
# --------------------------------

iris = load_iris(as_frame=True)
table = iris.data.assign(species=iris.target_names[iris.target])
table.to_csv(folder / "iris.csv", index=False)

table = pd.read_csv(folder / "iris.csv")
X, y = table.drop(columns="species"), table["species"]
# stratify keeps the proportions of the classes: 15 rows of each are held out.
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.3, stratify=y, random_state=0
)
print(f"{'input':<34} {'test rows':>9} {'one class':>10} {'accuracy':>9}")
for scaler in (StandardScaler(), MinMaxScaler()):
    model = make_pipeline(scaler, network()).fit(X_train, y_train)
    row(f"CSV, {type(scaler).__name__}", model, X_test, y_test)

# %%
# The species are told apart, except for a flower or two:

figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
ConfusionMatrixDisplay.from_estimator(
    model, X_test, y_test, cmap="Blues", colorbar=False, ax=axes
)
plt.show()

# %%
# libSVM, which stays sparse
# --------------------------
#
# ``MaxAbsScaler`` divides but does not shift, so zeros remain zeros up to the first layer.

path = str(folder / "digits.libsvm")
dump_svmlight_file(*load_digits(return_X_y=True), path)

X_sparse, y_sparse = load_svmlight_file(path)
A, B, y_A, y_B = train_test_split(X_sparse, y_sparse, stratify=y_sparse, random_state=0)
sparse = make_pipeline(MaxAbsScaler(), network()).fit(A, y_A)
row("libSVM, MaxAbsScaler", sparse, B, y_B)
scaled = sparse[:-1].transform(B)
share = scaled.nnz / np.prod(scaled.shape)
print(f"  sparse: {scipy.sparse.issparse(scaled)}, non-zero: {share:.0%}")

# %%
# Numbers and text
# ----------------
#
# Columns of numbers are scaled, and those of text get one column for each value. A shop that
# does not occur in training gets zeros in all of them.

rng = np.random.RandomState(0)
n = 600
shop = rng.choice(["Lisbon", "Porto", "Faro"], n)
day = rng.choice(["weekday", "weekend"], n)
price, weight = rng.uniform(5, 50, n), rng.normal(1000, 200, n)
limit = np.where(shop == "Porto", 35, np.where(day == "weekend", 30, 20))
sales = pd.DataFrame({"shop": shop, "day": day, "price": price, "weight": weight})
sales["sold"] = np.where(price < limit, "yes", "no")

columns = make_column_transformer(
    (StandardScaler(), ["price", "weight"]),
    (OneHotEncoder(handle_unknown="ignore"), ["shop", "day"]),
)
A, B, y_A, y_B = train_test_split(
    sales.drop(columns="sold"), sales["sold"], stratify=sales["sold"], random_state=0
)
mixed = make_pipeline(columns, network()).fit(A, y_A)
row("numbers and text", mixed, B, y_B)
print(f"  a new shop: {mixed.predict(B[:1].assign(shop='Braga'))[0]}")

# %%
# Saved and loaded
# ----------------
#
# The whole pipeline with joblib; the network alone in a file without code.

joblib.dump(model, folder / "iris.joblib")
loaded = joblib.load(folder / "iris.joblib")
same = np.array_equal(loaded.predict_proba(X_test), model.predict_proba(X_test))
print(f"  joblib: labels {', '.join(loaded.predict(X_test[:3]))}; same: {same}")

save(model[-1], folder / "iris.json")
scaled = model[:-1].transform(X_test)
loaded = load(folder / "iris.json")
same = np.array_equal(loaded.predict_proba(scaled), model[-1].predict_proba(scaled))
print(f"  JSON:   labels {', '.join(loaded.predict(scaled[:3]))}; same: {same}")
temporary.cleanup()
