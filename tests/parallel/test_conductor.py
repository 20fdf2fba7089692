"""The conductor starts worker processes only once jobs have shown that it pays."""

from itertools import count

import numpy as np
import pytest

import skdeep._parallel.conductor
from skdeep._parallel.conductor import Conductor


class HereInsteadOfWorkers:
    """Takes the place of worker processes, and counts the jobs that each is given."""

    share_memory = True
    seconds_missed = 0.0

    def __init__(self, warm):
        self.warm = warm
        self.given = []

    def count(self):
        return 2

    def are_warm(self):
        return self.warm

    def run(self, func, calls):
        self.given.append([len(jobs) for jobs, *_ in calls])
        return [func(*call) for call in calls]

    def end(self):
        pass


@pytest.mark.parametrize(
    ("warm", "start_seconds", "tries_first", "given"),
    [
        (False, np.inf, True, []),
        (False, 0.0, True, [[10, 9]]),
        (True, np.inf, True, [[10, 10]]),
        (False, np.inf, False, [[10, 10]]),
    ],
    ids=["cheap", "expensive", "warm", "asked for"],
)
def test_processes_start_once_jobs_have_shown_their_cost(
    warm, start_seconds, tries_first, given, monkeypatch
):
    monkeypatch.setattr(skdeep._parallel.conductor, "START_SECONDS", start_seconds)
    monkeypatch.setattr(HereInsteadOfWorkers, "seconds_missed", 0.0)
    workers = HereInsteadOfWorkers(warm)
    conductor = Conductor(1 << 30, workers, min_jobs=16, tries_first=tries_first)
    ended = []
    promises = [conductor.submit(lambda i=i: i, ended.append) for i in range(20)]
    assert [conductor.result(promise) for promise in promises] == list(range(20))
    assert ended == promises if not given else set(ended) == set(promises)
    assert workers.given == given


def test_processes_start_once_small_searches_have_cost_as_much(monkeypatch):
    monkeypatch.setattr(skdeep._parallel.conductor, "START_SECONDS", 100.0)
    monkeypatch.setattr(HereInsteadOfWorkers, "seconds_missed", 0.0)
    clock = count(step=10)  # each trial of some jobs takes ten seconds
    monkeypatch.setattr(skdeep._parallel.conductor, "monotonic", lambda: next(clock))
    given = []
    for _ in range(11):
        workers = HereInsteadOfWorkers(warm=False)
        conductor = Conductor(1 << 30, workers, min_jobs=4, tries_first=True)
        promises = [conductor.submit(lambda i=i: i) for i in range(5)]
        assert [conductor.result(promise) for promise in promises] == list(range(5))
        given.append(len(workers.given))
    # Two processes would have saved half of the 20 seconds of each search.
    assert given == [0] * 10 + [1]


@pytest.mark.parametrize("start_seconds", [0.0, np.inf])
def test_an_error_while_jobs_are_tried_cancels_all(start_seconds, monkeypatch):
    monkeypatch.setattr(skdeep._parallel.conductor, "START_SECONDS", start_seconds)
    conductor = Conductor(1 << 30, HereInsteadOfWorkers(warm=False), 16, tries_first=True)
    first, *others = [conductor.submit(lambda: 1 / 0) for _ in range(20)]
    with pytest.raises(ZeroDivisionError):
        conductor.result(first)
    conductor.cancel()
    assert all(job.done.is_set() for job in others)
    assert not any([conductor.jobs, conductor.unsettled, conductor.threads])
