"""Laws: displays draw what the fitted attributes say, by scikit-learn's conventions."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skdeep import Cosine, DeepClassifier, DeepRegressor, TabularClassifier, WarmUp
from skdeep.inspection import LossCurveDisplay, NetworkDisplay, ScheduleDisplay

pytest.importorskip("matplotlib")
import matplotlib.pyplot as plt

X, Y = load_iris(return_X_y=True)
X = scale(X)


def network(kind=DeepClassifier, **params):
    defaults = {"hidden_layer_sizes": (6,), "max_iter": 12, "random_state": 0}
    return kind(**defaults | params)


VALIDATED = {"early_stopping": True, "n_iter_no_change": 12, "learning_rate_init": 0.05}
NETWORK = network(**VALIDATED).fit(X, Y)
TABULAR = TabularClassifier("fast", n_members=3, max_iter=4, random_state=0).fit(X, Y)


def heights(line):
    return np.asarray(line.get_ydata(), float)


def places(line):
    return np.asarray(line.get_xdata(), float)


# Losses


@pytest.mark.parametrize("kind", [DeepClassifier, DeepRegressor])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_losses_are_those_of_the_fit(kind, solver):
    model = network(kind, solver=solver).fit(X, Y)
    display = LossCurveDisplay.from_estimator(model)
    assert heights(display.line_).tolist() == model.loss_curve_
    assert places(display.line_).tolist() == [*range(1, len(model.loss_curve_) + 1)]
    assert display.figure_ is display.ax_.figure
    assert display.validation_line_ is display.score_line_ is display.best_line_ is None
    assert display.learning_rate_line_ is None
    assert display.member_lines_ == []


def test_validation_has_an_axis_for_scores_and_a_mark_at_the_best_epoch():
    display = LossCurveDisplay.from_estimator(NETWORK)
    assert heights(display.validation_line_).tolist() == NETWORK.validation_loss_curve_
    assert heights(display.score_line_).tolist() == NETWORK.validation_scores_
    assert display.score_line_.axes is display.score_ax_ is not display.ax_
    best = NETWORK.best_iter_
    assert places(display.best_line_).tolist() == [best]
    assert heights(display.best_line_).tolist() == [NETWORK.validation_loss_curve_[best - 1]]
    assert LossCurveDisplay.from_estimator(NETWORK, score=False).score_line_ is None


def test_several_estimators_share_axes_and_one_legend():
    first = LossCurveDisplay.from_estimator(NETWORK, learning_rate=True, name="one")
    again = LossCurveDisplay.from_estimator(
        NETWORK, learning_rate=True, name="two", ax=first.ax_, color="green"
    )
    assert again.score_ax_ is first.score_ax_
    assert again.learning_rate_ax_ is first.learning_rate_ax_
    # Whatever was drawn first.
    LossCurveDisplay(loss_curves=[[9.0]], learning_rates=([0.0], [7.0])).plot(first.ax_)
    first.figure_.canvas.draw()
    assert first.learning_rate_ax_.get_ylim()[0] == 0
    assert 7 <= first.learning_rate_ax_.get_ylim()[1] < 8
    assert first.ax_.get_ylim()[1] > 9
    assert len(first.figure_.axes) == 3
    legends = [ax.get_legend() for ax in first.figure_.axes if ax.get_legend()]
    assert len(legends) == 1
    said = [text.get_text() for text in legends[0].get_texts()]
    assert len(said) == len(set(said)) == 12
    assert sum(text.startswith("two, ") for text in said) == 5
    lines = [again.line_, again.validation_line_, again.score_line_, again.best_line_]
    assert {line.get_color() for line in lines} == {"green"}
    assert first.line_.get_color() != "green"


def test_members_are_thin_lines_around_their_mean():
    display = LossCurveDisplay.from_estimator(TABULAR)
    assert [len(curve) for curve in TABULAR.loss_curves_] == [4, 4, 4]
    np.testing.assert_allclose(heights(display.line_), np.mean(TABULAR.loss_curves_, axis=0))
    curves = [*TABULAR.loss_curves_, *TABULAR.validation_loss_curves_]
    assert [heights(line).tolist() for line in display.member_lines_] == curves
    styles = [line.get_linestyle() for line in display.member_lines_]
    assert styles == ["-"] * 3 + ["--"] * 3
    thin = {line.get_linewidth() for line in display.member_lines_}
    assert max(thin) < display.line_.get_linewidth()
    rows = TABULAR.members_.to_dict().values()
    assert places(display.best_line_).tolist() == [row["best_epoch"] for row in rows]
    # What a member held out, at its best epoch.
    np.testing.assert_allclose(
        heights(display.best_line_), [row["validation_loss"] for row in rows], rtol=1e-6
    )


def test_members_that_end_early_leave_the_mean():
    display = LossCurveDisplay(loss_curves=[[4.0, 2.0, 1.0], [2.0, 0.0]]).plot()
    assert heights(display.line_).tolist() == [3.0, 1.0]
    assert [len(heights(line)) for line in display.member_lines_] == [3, 2]


def test_curves_are_found_in_what_contains_a_network():
    pipeline = make_pipeline(StandardScaler(), network()).fit(X, Y)
    search = GridSearchCV(network(), {"alpha": [1e-4]}, cv=2).fit(X, Y)
    for model, inner in [(pipeline, pipeline[-1]), (search, search.best_estimator_)]:
        line = LossCurveDisplay.from_estimator(model).line_
        assert heights(line).tolist() == inner.loss_curve_
    bagging = BaggingClassifier(network(), n_estimators=3, random_state=0).fit(X, Y)
    display = LossCurveDisplay.from_estimator(bagging)
    curves = [member.loss_curve_ for member in bagging.estimators_]
    assert [heights(line).tolist() for line in display.member_lines_] == curves
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = MLPClassifier((4,), max_iter=5, early_stopping=True).fit(X, Y)
    display = LossCurveDisplay.from_estimator(mlp)
    assert heights(display.score_line_).tolist() == mlp.validation_scores_


def test_a_display_can_be_drawn_again():
    display = LossCurveDisplay.from_estimator(NETWORK, name="one")
    before = display.ax_
    assert display.plot(name="again") is display
    assert display.ax_ is not before
    assert display.line_.get_label() == "again, training loss"


# Learning rates


def test_learning_rates_are_those_that_the_solver_has_used():
    # A function of the step is called for each step that is taken.
    seen = []

    def rate(step):
        seen.append(step)
        return 0.1 / (step + 1)

    model = network(solver="sgd", learning_rate=rate, batch_size=50, max_iter=3).fit(X, Y)
    taken = seen.copy()
    seen.clear()
    display = LossCurveDisplay.from_estimator(model, learning_rate=True)
    assert seen == taken == [*range(9)]
    np.testing.assert_allclose(places(display.learning_rate_line_), np.arange(9) / 3)
    np.testing.assert_allclose(heights(display.learning_rate_line_), 0.1 / np.arange(1, 10))


def test_a_finite_schedule_is_drawn_up_to_where_training_stopped():
    model = network(learning_rate="linear", max_iter=40, tol=1e9, n_iter_no_change=4)
    display = LossCurveDisplay.from_estimator(model.fit(X, Y), learning_rate=True)
    n_epochs = len(model.loss_curve_)
    assert n_epochs < 10
    epochs = np.arange(n_epochs)
    np.testing.assert_allclose(places(display.learning_rate_line_), epochs)
    np.testing.assert_allclose(heights(display.learning_rate_line_), 0.001 * (1 - epochs / 40))


def test_inverse_scaling_has_the_rate_of_scikit_learn_after_each_epoch():
    params = {"solver": "sgd", "learning_rate": "invscaling", "max_iter": 4, "batch_size": 150}
    params |= {"learning_rate_init": 0.1, "power_t": 0.3}
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlp = MLPClassifier((4,), **params | {"max_iter": 1}, warm_start=True)
        for _ in range(4):
            mlp.fit(X, Y)
            rates.append(mlp._optimizer.learning_rate)
    display = LossCurveDisplay.from_estimator(network(**params).fit(X, Y), learning_rate=True)
    drawn = heights(display.learning_rate_line_)
    assert drawn[0] == 0.1
    np.testing.assert_allclose(drawn[1], rates[0])


REFUSED = {
    "adaptive": (network(solver="sgd", learning_rate="adaptive"), "progress of training"),
    "lbfgs": (network(solver="lbfgs"), "L-BFGS has no learning rate"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rates_that_are_not_known_are_refused(name):
    model, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        LossCurveDisplay.from_estimator(model.fit(X, Y), learning_rate=True)


def test_rates_of_several_calls_and_of_ensembles_are_refused():
    model = network(warm_start=True).fit(X, Y).fit(X, Y)
    with pytest.raises(ValueError, match=r"24 epochs .* trained 12"):
        LossCurveDisplay.from_estimator(model, learning_rate=True)
    with pytest.raises(ValueError, match="single network"):
        LossCurveDisplay.from_estimator(TABULAR, learning_rate=True)


def test_what_has_no_curve_is_refused():
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(network())
    with pytest.raises(ValueError, match="StandardScaler has no loss curve"):
        LossCurveDisplay.from_estimator(StandardScaler().fit(X))


# Schedules


def test_schedules():
    display = ScheduleDisplay.from_schedule(
        Cosine(end=0.5), learning_rate_init=0.2, max_iter=10, n_samples=95, batch_size=10
    )
    epochs = np.arange(100) / 10
    np.testing.assert_allclose(places(display.line_), epochs)
    shares = (1 + np.cos(np.pi * epochs / 10)) / 2
    np.testing.assert_allclose(heights(display.line_), 0.2 * (0.5 + 0.5 * shares))
    assert "end=0.5" in display.line_.get_label()
    other = ScheduleDisplay.from_schedule(WarmUp(5), ax=display.ax_, name="mine", color="red")
    assert other.ax_ is display.ax_
    said = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert said == [display.name, "mine"]
    assert other.line_.get_color() == "red"


def test_long_schedules_have_few_points_and_functions_are_called_for_each_step():
    long = {"max_iter": 100, "n_samples": 10**5, "batch_size": 100}
    assert len(ScheduleDisplay.from_schedule("cosine", **long).rates) <= 2000
    seen = []
    ScheduleDisplay.from_schedule(lambda step: seen.append(step) or 0.1, max_iter=300)
    assert seen == [*range(3000)]


def test_adaptive_cannot_be_drawn():
    for schedule in ("adaptive", WarmUp(2, "adaptive")):
        with pytest.raises(ValueError, match="progress of training"):
            ScheduleDisplay.from_schedule(schedule)


# Networks


def texts(display):
    return [text.get_text() for text in display.ax_.texts]


def test_boxes_are_the_layers():
    model = network(hidden_layer_sizes=(16, 8), norm="batch", dropout=0.1).fit(X, Y)
    display = NetworkDisplay.from_estimator(model, name="Iris")
    widths = [box.get_width() for box in display.boxes_]
    assert len(widths) == 4
    assert widths[1] == max(widths)
    assert widths[1] > widths[2] > widths[0] > widths[3] > 0
    said = " ".join(texts(display)).replace("\n", " ")
    for row in model.summary().rows:
        for word in (row.name, str(row.width), row.applies):
            assert word in said
    assert f"{model.summary().rows[1].n_params} parameters" in said
    assert display.ax_.get_title() == "Iris"
    assert display.image_axes_ == []


def test_pictures_are_the_largest_weights_of_the_first_layer():
    model = network().fit(X, Y)
    display = NetworkDisplay.from_estimator(model, image_shape=(2, 2), n_images=3)
    drawn = [np.asarray(ax.images[0].get_array()) for ax in display.image_axes_]
    order = np.argsort(-np.linalg.norm(model.coefs_[0], axis=0))[:3]
    np.testing.assert_array_equal(
        drawn, [model.coefs_[0][:, unit].reshape(2, 2) for unit in order]
    )
    for ax in display.image_axes_:
        low, high = ax.images[0].get_clim()
        assert -low == high == np.abs(drawn).max()


def test_networks_that_cannot_be_drawn_are_refused():
    with pytest.raises(NotFittedError):
        NetworkDisplay.from_estimator(network())
    with pytest.raises(ValueError, match=r"image_shape=\(2, 3\) .* 4 pixels"):
        NetworkDisplay.from_estimator(NETWORK, image_shape=(2, 3))
    with pytest.raises(TypeError, match="TabularClassifier"):
        NetworkDisplay.from_estimator(TABULAR)


# Conventions

DRAW = {
    "LossCurveDisplay": lambda **kw: LossCurveDisplay.from_estimator(NETWORK, **kw),
    "NetworkDisplay": lambda **kw: NetworkDisplay.from_estimator(NETWORK, **kw),
    "ScheduleDisplay": lambda **kw: ScheduleDisplay.from_schedule("linear", **kw),
}


@pytest.mark.parametrize("name", DRAW)
def test_axes_that_are_given_are_used_and_no_others(name):
    figure, ax = plt.subplots()
    display = DRAW[name](ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    figure.canvas.draw()


@pytest.mark.parametrize("name", DRAW)
def test_without_matplotlib_the_error_says_what_to_install(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=f"{name} needs matplotlib.*pip install matplotlib"):
        DRAW[name]()


def test_importing_the_displays_does_not_import_matplotlib():
    code = "import skdeep.inspection, sys; print('matplotlib' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"
