"""The examples and the README's code run, quietly, and reach the scores that they should."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skdeep.solvers import SOLVERS

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
README = ROOT / "README.md"
DATA = Path(os.environ.get("SKDEEP_DATA", ROOT.parent / "shared" / "data"))


def example(name):
    """Path of a script in one of the folders of the gallery."""
    if name != "quickstart.py":
        pytest.importorskip("matplotlib")
    (path,) = EXAMPLES.rglob(name)
    return path


def run(*arguments):
    """Standard output of a Python program that must neither fail nor warn."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=900,  # a bound for what hangs, however loaded the machine is
        check=False,
        # One thread takes about as long as several on networks of this size, and is not
        # slowed down by whatever else the machine does.
        env={
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MPLBACKEND": "template",  # draws nothing: the build of the site draws
        },
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize(
    ("data", "floor", "names"),
    [
        ("digits", 0.96, ["DeepClassifier", "MLPClassifier", "LogisticRegression"]),
        ("diabetes", 0.45, ["DeepRegressor", "MLPRegressor", "Ridge"]),
    ],
)
def test_quickstart_scores(quickstart, data, floor, names):
    rows = [line.split() for line in quickstart.splitlines() if line.startswith(data)]
    assert [name for _, name, *_ in rows] == names
    own, peer, line = (float(row[3]) for row in rows)
    assert own >= floor
    assert abs(own - peer) < 0.01
    assert own > line


@pytest.fixture(scope="module")
def quickstart():
    return run(example("quickstart.py"))


def test_mnist_accuracy():
    folder = DATA / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no MNIST at {folder}: name the folder that holds it in SKDEEP_DATA")
    output = run(example("mnist.py"), "--data", folder)
    match = re.search(r"^test accuracy +(\S+)$", output, re.MULTILINE)
    assert match, output
    assert float(match[1]) >= 0.97


def test_small_digits_need_no_files():
    output = run(example("mnist.py"))
    own, peer = (
        float(re.search(rf"^{name} +(\S+)$", output, re.MULTILINE)[1])
        for name in ("test accuracy", "MLPClassifier")
    )
    assert min(own, peer) > 0.96


def test_search_in_lockstep_scores():
    output = run(example("search_in_lockstep.py"))
    best, defaults = (
        float(re.search(rf"^{name} +(\S+)$", output, re.MULTILINE)[1])
        for name in ("best accuracy", "defaults")
    )
    assert best >= 0.96
    assert best > defaults + 0.05


def test_engine_search_finds_a_winner():
    output = run(example("engine_search.py"))
    assert re.search(r"^networks trained +100$", output, re.MULTILINE)
    for name in ("in folds", "on other rows"):
        assert float(re.search(rf"^winner, {name} +(\S+)$", output, re.MULTILINE)[1]) > 0.93
    tries = [line.split() for line in output.split("\n\n")[0].splitlines()[1:]]
    assert len(tries) == 4
    assert all(float(worst) <= float(best) for _, _, worst, best in tries)


def table(output, title):
    """Numbers of each row, by its name, of the table whose header begins with `title`."""
    found = output[re.search(f"^{title}", output, re.MULTILINE).start() :]
    rows = {}
    for line in found.split("\n\n")[0].splitlines()[1:]:
        name, numbers = re.split(r"  +", line, maxsplit=1)
        rows[name] = [float(number.replace(",", "")) for number in numbers.split()]
    return rows


def test_class_weights_find_the_rare_class():
    rows = table(run(example("class_weights.py")), "variant")
    recall, mean, sure, loss = zip(*rows.values(), strict=True)
    plain, balanced, five, focal, smooth, line, weighted_line = range(7)
    assert recall[balanced] > recall[plain] + 0.1
    assert recall[five] > recall[plain] + 0.1
    assert mean[balanced] > mean[plain] + 0.1
    assert max(sure[focal], sure[smooth]) < sure[plain] / 4
    assert loss[smooth] < loss[plain]
    assert recall[plain] > recall[line]
    assert recall[weighted_line] > recall[line] + 0.1


def test_regression_losses_do_what_each_is_for():
    output = run(example("regression_losses.py"))
    found = [line.rsplit(maxsplit=1) for line in output.splitlines()[1:]]
    values = {re.sub(r" +", " ", name): float(value) for name, value in found}
    plain = values["squared_error error without outlier"]
    assert values["absolute_error error without outlier"] < plain / 2
    assert values["huber error without outlier"] < plain / 2
    assert values["median of all rows error without outlier"] > plain
    assert (
        values["poisson Poisson deviance"] < values["mean of all counts Poisson deviance"] / 2
    )
    assert 0.7 < values["quantile [0.1, 0.9] share of rows between"] < 0.85
    assert values["quantile [0.1, 0.9] bands that cross"] == 0
    assert values["output_activation logistic lowest prediction"] > 0
    assert values["output_activation logistic highest prediction"] < 1
    own = values["own: too high is dear rows too high"]
    assert own < values["squared_error rows too high"] - 0.1


def test_regularization_narrows_the_gap():
    rows = table(run(example("regularization.py")), "variant")
    line = rows.pop("linear model")
    assert min(test for _, test, *_ in rows.values()) > line[1]
    train, test, loss, _ = rows["none"]
    assert train > test + 0.15
    for name in ("dropout=0.5", "max_norm=0.5", "alpha=5", "alpha=0.2, l1_ratio=1"):
        assert rows[name][0] - rows[name][1] < train - test, name
        assert rows[name][2] < loss - 0.2, name
    assert rows["alpha=0.2, l1_ratio=1"][3] > 0.8 > 0.2 > rows["none"][3]


def test_architectures_learn_and_skips_let_a_deep_one_learn():
    output = run(example("architectures.py"))
    rows = table(output, "architecture")
    line = rows.pop("linear model")[1]
    for name, (_, accuracy) in rows.items():
        assert accuracy > line - 0.01 or name.startswith("ten layers"), name
    assert rows["ten layers, residual"][1] > rows["ten layers"][1] + 0.5
    for word in ("input dropout", "BatchNorm, GELU", "residual", "Custom(Snake())", "11,370"):
        assert word in output


def test_solvers_and_schedules_learn():
    output = run(example("solvers_and_schedules.py"))
    solvers = table(output.replace("\nschedule", "\n\nschedule"), "solver")
    schedules = table(output, "schedule, with Adam")
    assert len(solvers) == len(SOLVERS) + 1  # and a linear model
    assert min(accuracy for (accuracy,) in [*solvers.values(), *schedules.values()]) > 0.88


def test_validation_rows_of_others_say_what_a_network_is_worth():
    output = run(example("validation_and_callbacks.py"))
    rows = table(output.replace("validation loss", "\nloss"), "validation  ")
    assert rows["linear model"][1] < rows["other patients"][3]
    flattered, honest = rows["a tenth of the rows"], rows["other patients"]
    assert flattered[2] - flattered[3] > 0.15
    assert abs(honest[2] - honest[3]) < 0.05
    assert rows["by neg_log_loss"][2] < 0
    assert rows["without stopping"][0] > honest[0]
    assert rows["without stopping"][1:] == honest[1:]
    assert rows["without restore_best"][3] != honest[3]
    first, lowest, last = map(float, re.findall(r"(\d\.\d+) in epoch", output))
    assert lowest < first < last
    n_epochs, accuracy = table(output, "callback")["StopAt(0.95)"]
    assert n_epochs < 30
    assert accuracy > 0.94


def test_targets_of_several_columns():
    output = run(example("multi_output.py"))
    lines = [re.split(r"  +", line) for line in output.splitlines() if line.count("  ") > 1]
    scores = {line[0]: (float(line[-1]), float(line[-2])) for line in lines[1:]}
    assert all(score > constant + 0.15 for score, constant in scores.values())
    assert scores["columns of labels"][0] > 0.85
    assert scores["columns, by partial_fit"][0] > 0.8
    assert scores["several numbers (training)"][0] > 0.9
    assert "two, even, small" in output
    assert "epochs from 20: 0.0\n" in output


def readme_code(name):
    """The README's block of code in which a name occurs."""
    blocks = re.findall(r"```python\n(.+?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (block for block in blocks if name in block)
    return block


def test_readme_code_runs():
    output = run("-c", readme_code("GridSearchCV"))
    assert "deepclassifier__solver__learning_rate_init" in output


def test_readme_code_on_a_data_frame_runs():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"number": [*range(59), None], "text": ["x", "y"] * 30})
    names = {"frame": frame, "labels": frame["text"], "new_frame": frame[:3]}
    exec(readme_code("TabularClassifier"), names)
    assert names["model"].validation_score_ > 0.9
