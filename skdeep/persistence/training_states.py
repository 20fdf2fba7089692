"""What a fit leaves for the next one, as a document: history, solver state, random numbers."""

from dataclasses import fields
from numbers import Integral, Real
from typing import Any

import numpy as np

from skdeep._training.bound_solver import SolverState
from skdeep._training.fit_task import History
from skdeep.estimators.model import model_of
from skdeep.estimators.warm_start import RandomStream, TrainingState, current_state_of
from skdeep.persistence.encoding import decode, encode
from skdeep.persistence.fields import Fields
from skdeep.persistence.files import short_repr
from skdeep.persistence.formats import MEMBER_DTYPES
from skdeep.solvers import SOLVERS, StochasticSolver

TRAINING = ("outcome", "history", "solver", "stream", "masks")
HISTORY = tuple(field.name for field in fields(History))
SOLVER = ("type", "n_steps", "rate", "rate_init", "moments", "live", "average")
STREAM = ("seed", "state", "n_rows", "n_epochs", "draws_weights")
MASKS = ("type", "state", "has_uint32", "uinteger")

# In place of a seed, if `random_state` is a generator.
GENERATOR = "generator"

# The stochastic solvers that a file can name.
BY_NAME: dict[str, type[StochasticSolver]] = {
    kind.__name__: kind for kind in SOLVERS.values() if issubclass(kind, StochasticSolver)
}


def encode_training(estimator: Any) -> dict[str, Any]:
    """The state of a fitted estimator's training."""
    state = current_state_of(estimator)
    return {
        "outcome": state.outcome,
        "history": {name: encode(getattr(state.history, name)) for name in HISTORY},
        "solver": _encode_solver(state.solver_state),
        "stream": _encode_stream(state.stream, estimator.random_state),
        "masks": _encode_masks(state.mask_generator),
    }


def decode_training(tree: Any, estimator: Any) -> TrainingState:
    """The state of training of a fitted estimator, from what `encode_training` returned."""
    read = Fields(tree, TRAINING, "training")
    if type(read["outcome"]) is not str:
        raise read.refusal("outcome", "a string")
    history = _history(Fields(read["history"], HISTORY, read.at("history")))
    model = model_of(estimator)
    solver = None
    if read["solver"] is not None:
        inner = Fields(read["solver"], SOLVER, read.at("solver"))
        solver = _solver(inner, model.network.n_trained, model.network.n_params)
    stream = None
    if read["stream"] is not None:
        inner = Fields(read["stream"], STREAM, read.at("stream"))
        stream = _stream(inner, estimator.random_state, len(history.loss_curve))
    masks = None
    if read["masks"] is not None:
        masks = _masks(Fields(read["masks"], MASKS, read.at("masks")))
    is_live = solver is not None and solver.live is not None
    checksum = model.network.checksum(model.params) if is_live else None
    return TrainingState(history, solver, checksum, stream, masks, read["outcome"])


def _history(read: Fields) -> History:
    history = History()
    for name in HISTORY:
        if isinstance(getattr(history, name), list):
            numbers = [decode(one) for one in read.items(name)]
            if not all(isinstance(one, Real) and type(one) is not bool for one in numbers):
                raise read.refusal(name, "a list of numbers")
            setattr(history, name, numbers)
        elif isinstance(getattr(history, name), float):
            setattr(history, name, read.number(name))
        else:
            setattr(history, name, read.count(name))
    if history.best_iter > len(history.validation_scores):
        raise read.refusal("best_iter", "the number of an epoch with a validation score")
    return history


# The solver


def _encode_solver(state: SolverState | None) -> dict[str, Any] | None:
    if state is None or BY_NAME.get(state.solver.__name__) is not state.solver:
        return None
    arrays = {"moments": state.moments, "live": state.live, "average": state.average}
    for name, array in arrays.items():
        if array is not None and not np.isfinite(array).all():
            raise ValueError(
                f"Training cannot go on from here, because the solver's {name} are not all "
                "finite. Pass training_state=False to save the model alone."
            )
    return {
        "type": state.solver.__name__,
        "n_steps": state.n_steps,
        "rate": encode(state.rate),
        "rate_init": encode(state.rate_init),
        **arrays,
    }


def _solver(read: Fields, n_trained: int, n_params: int) -> SolverState:
    name = read["type"]
    if type(name) is not str or name not in BY_NAME:
        raise read.refusal("type", f"one of {list(BY_NAME)}")
    kind, moments = BY_NAME[name], read["moments"]
    dtype = moments.dtype.str if type(moments) is np.ndarray else ""
    if dtype not in MEMBER_DTYPES:
        raise read.refusal("moments", "an array of float64 or float32")
    rate, rate_init = read.number("rate"), read.number("rate_init")
    if not (0 <= rate < np.inf and 0 < rate_init < np.inf):
        raise ValueError(
            f"{read.path} must have a rate of at least 0 and a rate_init above 0, both finite; "
            f"got {short_repr((rate, rate_init))}."
        )
    live, average = (
        None if read[name] is None else read.array(name, dtype, (n_params,))
        for name in ("live", "average")
    )
    return SolverState(
        kind,
        read.array("moments", dtype, (kind.n_moments, n_trained)),
        read.count("n_steps", high=2**53),
        rate,
        rate_init,
        live,
        average,
    )


# Random numbers


def _encode_stream(stream: RandomStream | None, random_state: Any) -> dict[str, Any] | None:
    if stream is None:
        return None
    seed = stream.random_state
    if seed is random_state and isinstance(seed, np.random.RandomState):
        seed = GENERATOR
    elif seed is not None and not isinstance(seed, Integral):
        return None  # another generator than the estimator has now: nobody can continue it
    state = None if stream.state is None else encode(stream.generator())
    own = {name: getattr(stream, name) for name in STREAM[2:]}
    return {"seed": encode(seed), "state": state, **own}


def _stream(read: Fields, random_state: Any, n_epochs: int) -> RandomStream:
    seed, start = read.value("seed"), read.value("state")
    if type(seed) is str and seed == GENERATOR:
        seed = random_state
        if not isinstance(seed, np.random.RandomState):
            raise read.refusal("seed", "the seed, as random_state is no generator")
    elif seed is not None and (not isinstance(seed, Integral) or type(seed) is bool):
        raise read.refusal("seed", f"an integer, null or {GENERATOR!r}")
    has_state = isinstance(start, np.random.RandomState)
    if not has_state and (start is not None or not isinstance(seed, Integral)):
        raise read.refusal("state", "a RandomState, or null if the seed is an integer")
    return RandomStream(
        seed,
        start.get_state() if has_state else None,
        read.count("n_rows"),
        read.flag("draws_weights"),
        # Each is drawn again: as many as there were, not as many as a file claims.
        read.count("n_epochs", high=n_epochs),
    )


def _encode_masks(generator: np.random.Generator | None) -> dict[str, Any] | None:
    if generator is None:
        return None
    state: Any = generator.bit_generator.state
    return {
        "type": state["bit_generator"],
        "state": state["state"]["state"],
        "has_uint32": int(state["has_uint32"]),
        "uinteger": int(state["uinteger"]),
    }


def _masks(read: Fields) -> np.random.Generator:
    if read["type"] != "SFC64":
        raise read.refusal("type", "'SFC64'")
    bits = np.random.SFC64(0)
    bits.state = {
        "bit_generator": "SFC64",
        "state": {"state": read.array("state", "<u8", (4,))},
        "has_uint32": read.count("has_uint32", high=1),
        "uinteger": read.count("uinteger", high=2**32 - 1),
    }
    return np.random.Generator(bits)
