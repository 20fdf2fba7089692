"""From files to a network and back: CSV, libSVM, mixed numbers and text, saved models.

pandas and scikit-learn read, split and scale the data; the network is the last step of a
pipeline. Labels can be strings: ``predict`` returns them, even from a model that was saved and
loaded. The files are created in a temporary folder. This example needs pandas.
"""

import tempfile
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.datasets import dump_svmlight_file, load_digits, load_iris, load_svmlight_file
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, StandardScaler

from skdeep import DeepClassifier
from skdeep.persistence import load, save


def network():
    return DeepClassifier((30,), learning_rate_init=0.01, max_iter=100, random_state=0)


def row(name, model, X_test, y_test):
    print(f"{name:<34} {len(y_test):>9} {model.score(X_test, y_test):>9.3f}")


def csv_with_words(folder):
    """Labels that are strings, a stratified split, and two ways to scale."""
    iris = load_iris(as_frame=True)
    table = iris.data.assign(species=iris.target_names[iris.target])
    table.to_csv(folder / "iris.csv", index=False)

    table = pd.read_csv(folder / "iris.csv")
    X, y = table.drop(columns="species"), table["species"]
    # stratify keeps the proportions of the classes: 15 rows of each are held out.
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.3, stratify=y, random_state=0
    )
    for scaler in (StandardScaler(), MinMaxScaler()):
        model = make_pipeline(scaler, network()).fit(X_train, y_train)
        row(f"CSV, {type(scaler).__name__}", model, X_test, y_test)
    return model, X_test


def sparse_libsvm(folder):
    """A file of non-zero values, which remain sparse up to the first layer."""
    path = str(folder / "digits.libsvm")
    dump_svmlight_file(*load_digits(return_X_y=True), path)

    X, y = load_svmlight_file(path)
    # MaxAbsScaler divides but does not shift, so zeros remain zeros.
    model = make_pipeline(MaxAbsScaler(), network())
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    row("libSVM, MaxAbsScaler", model.fit(X_train, y_train), X_test, y_test)
    scaled = model[:-1].transform(X_test)
    share = scaled.nnz / np.prod(scaled.shape)
    print(f"  sparse: {scipy.sparse.issparse(scaled)}, non-zero: {share:.0%}")


def numbers_and_text(folder):
    """Scale columns of numbers, and encode columns of text as one column per value."""
    rng = np.random.RandomState(0)
    n = 600
    shop = rng.choice(["Lisbon", "Porto", "Faro"], n)
    day = rng.choice(["weekday", "weekend"], n)
    price, weight = rng.uniform(5, 50, n), rng.normal(1000, 200, n)
    limit = np.where(shop == "Porto", 35, np.where(day == "weekend", 30, 20))
    table = pd.DataFrame(
        {"shop": shop, "day": day, "price": price, "weight": weight}
        | {"sold": np.where(price < limit, "yes", "no")}
    )
    table.to_csv(folder / "sales.csv", index=False)

    table = pd.read_csv(folder / "sales.csv")
    X, y = table.drop(columns="sold"), table["sold"]
    columns = make_column_transformer(
        (StandardScaler(), ["price", "weight"]),
        # A shop that does not occur in training gets zeros in all columns.
        (OneHotEncoder(handle_unknown="ignore"), ["shop", "day"]),
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    model = make_pipeline(columns, network()).fit(X_train, y_train)
    row("numbers and text", model, X_test, y_test)
    print(f"  a new shop: {model.predict(X_test[:1].assign(shop='Braga'))[0]}")


def saved_and_loaded(folder, model, X):
    """The whole pipeline with joblib; the network alone in a file without code."""
    print("\nsaved and loaded")
    joblib.dump(model, folder / "iris.joblib")
    loaded = joblib.load(folder / "iris.joblib")
    same = np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    print(f"  joblib: labels {', '.join(loaded.predict(X[:3]))}; same: {same}")

    save(model[-1], folder / "iris.json")
    scaled = model[:-1].transform(X)
    loaded = load(folder / "iris.json")
    same = np.array_equal(loaded.predict_proba(scaled), model[-1].predict_proba(scaled))
    print(f"  JSON:   labels {', '.join(loaded.predict(scaled[:3]))}; same: {same}")


def main():
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are a fixed budget
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"{'input':<34} {'test rows':>9} {'accuracy':>9}")
        model, X = csv_with_words(folder)
        sparse_libsvm(folder)
        numbers_and_text(folder)
        saved_and_loaded(folder, model, X)


if __name__ == "__main__":
    main()
