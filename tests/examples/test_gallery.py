"""The Go libraries' examples reach what those publish, and the others show what they say."""

import re

import pytest

from tests.examples.test_examples import DATA, example, run, table


def run_on(folder, script, *arguments):
    """Output of a script that reads its data from a folder, where that is there."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"no {DATA / folder}: name the folder that holds it in SKDEEP_DATA")
    return run(example(script), "--data", DATA / folder, *arguments)


def test_sonar_accuracy():
    rows = table(run_on("seeds", "sonar.py"), "variant")
    assert rows["as it comes"][0] >= 0.85
    assert rows["alpha=1, lbfgs"][0] >= 0.85
    assert rows["as it comes"][0] > rows["linear model"][0] + 0.05
    assert rows["linear model"][0] > rows["most frequent class"][0] + 0.1
    assert all(0.02 < error < 0.04 for _, error in rows.values())


def test_wines_accuracy():
    rows = table(run(example("wines.py")), "model")
    mean, worst = rows["alpha=3.0"]
    assert mean >= 0.98
    assert worst >= 0.97
    assert mean > rows["alpha=0.0001"][0]
    assert mean > rows["linear model"][0] - 0.01 > rows["most frequent"][0]
    # scikit-learn's copy of the data is the one of the Go library.
    if (DATA / "seeds").is_dir():
        assert table(run_on("seeds", "wines.py"), "model") == rows


def test_wine_quality_beats_the_median_and_a_line():
    rows = table(run_on("seeds", "wine_quality.py"), "model")
    median, ridge = rows["median"], rows["ridge"]
    for loss in ("squared_error", "huber", "absolute_error"):
        within, r2, mae = rows[f"network, {loss}"]
        assert within > ridge[0] + 0.01 > median[0] + 0.05
        assert r2 > ridge[1] > median[1]
        assert mae < ridge[2] < median[2]
    assert rows["network, squared_error"][0] > 0.55
    assert rows["network, absolute_error"][2] < rows["network, squared_error"][2]


def test_progression_of_diabetes_takes_the_place_of_wines():
    rows = table(run(example("wine_quality.py")), "model")
    for loss in ("squared_error", "huber", "absolute_error"):
        within, _, mae = rows[f"network, {loss}"]
        assert within > rows["median"][0] + 0.1
        assert mae < rows["median"][2] - 10


def test_mnist_accuracy_is_no_luck():
    output = run_on("mnist", "mnist.py", "--seeds", "3")
    numbers = dict(re.findall(r"^(\w+(?: \w+)*) +(\S+)$", output, re.MULTILINE))
    lowest, mean, highest = (
        float(numbers[name]) for name in ("lowest", "test accuracy", "highest")
    )
    assert mean >= 0.973
    assert lowest < mean < highest


def test_every_case_of_go_deep_keeps_to_its_tolerance():
    lines = run(example("go_deep_cases.py")).splitlines()[1:]
    assert len(lines) == 13
    for line in lines:
        name, _, numbers = re.split(r"  +", line, maxsplit=2)
        _, tolerance, _, reached, worst, passed = numbers.split()
        assert float(reached) <= float(worst) <= float(tolerance), name
        assert passed == "10/10", name


def test_input_formats():
    pytest.importorskip("pandas")
    output = run(example("input_formats.py"))
    rows = re.findall(r"^(\S.*?)  +\d+ +(\d\.\d+) +(\d\.\d+)$", output, re.MULTILINE)
    accuracy = {name: float(value) for name, _, value in rows}
    assert all(float(value) > float(constant) + 0.3 for _, constant, value in rows)
    assert list(accuracy) == [
        "CSV, StandardScaler",
        "CSV, MinMaxScaler",
        "libSVM, MaxAbsScaler",
        "numbers and text",
    ]
    assert min(accuracy.values()) > 0.93
    assert "sparse: True, non-zero: 52%" in output
    assert re.search(r"a new shop: (yes|no)$", output, re.MULTILINE)
    saved = re.findall(r"labels (\w+), (\w+), (\w+); same: (\w+)$", output, re.MULTILINE)
    assert len(saved) == 2
    assert {same for *_, same in saved} == {"True"}
    assert {label for *labels, _ in saved for label in labels} <= {
        "setosa",
        "versicolor",
        "virginica",
    }


def test_prequential_learning_recovers_from_drift():
    output = run(example("prequential.py"))
    rows = table(output.replace("  the rule changes", ""), "rows  ")
    learning, frozen, majority, whole = range(4)
    for before, drop, after in (("3000", "3500", "6000"), ("6000", "6500", "9000")):
        assert rows[drop][learning] < rows[before][learning] - 0.1
        assert rows[after][learning] > rows[drop][learning] + 0.1
        assert rows[after][learning] > rows[after][frozen] + 0.2
        assert rows[after][learning] > rows[after][majority] + 0.2
    assert rows["500"][whole] == rows["500"][learning]
    assert abs(rows["3500"][whole] - rows["3000"][whole]) < 0.05


def test_prequential_learning_in_larger_chunks():
    output = run(example("prequential.py"), "--chunk", "100")
    rows = table(output.replace("  the rule changes", ""), "rows  ")
    assert rows["9000"][0] > rows["9000"][1] + 0.2


def run_on_frames(script):
    """Output of a script that needs pandas."""
    pytest.importorskip("pandas")
    return run(example(script))


def test_a_mixed_table_as_it_comes():
    rows = table(run_on_frames("mixed_table.py"), "training rows")
    median, trees, networks = rows.values()
    assert all(error < 0.6 * floor for error, floor in zip(networks, median, strict=True))
    assert networks[-1] < trees[-1]
    assert networks[-1] < networks[0] - 1


def test_prediction_intervals_keep_their_promise():
    output = run_on_frames("prediction_intervals.py")
    rows = table(output, "share inside")
    for name in ("quantiles", "new rows"):
        assert abs(rows[name][0] - 0.9) < 0.06
        assert min(rows[name]) > 0.8
    assert rows["band of one width"][3] < 0.8 < 0.98 < rows["band of one width"][1]
    assert output.endswith("quantiles that cross: 0\n")


def test_columns_that_matter_are_told_from_noise():
    rows = table(run_on_frames("which_columns.py"), "column")
    mean = {name: importance for name, (importance, _) in rows.items()}
    noise = abs(mean["noise"])
    assert noise < 0.03
    assert min(mean["body mass index"], mean["log triglycerides"]) > noise + 0.05


def test_out_of_fold_scores_are_honest_and_stacks_are_not_spoiled():
    output = run_on_frames("out_of_fold.py")
    training, held_out, new = (row[-1] for row in table(output, "R2 of the networks").values())
    assert training > new + 0.1
    assert abs(held_out - new) < training - new
    rows = table(output, "R2 on new rows")
    assert rows["stack"][-1] > max(rows[name][-1] for name in ("networks", "trees")) - 0.03
    assert rows["stack"][-1] > rows["average"][-1] + 0.03
