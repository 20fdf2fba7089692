"""Side-by-side timings of skdeep, its peers and the machine's matrix products.

    python -m tests.benchmarks                      the whole page, on standard output
    python -m tests.benchmarks --quick              one repeat, without memory and growth
    python -m tests.benchmarks --cases mnist        cases whose name contains "mnist"
    python -m tests.benchmarks.profile mnist        where one case's time goes, line by line
    python -m tests.benchmarks.threads              searches by processes and BLAS threads
    python -m tests.benchmarks.tabular              tabular estimators, on whole tables

`cases` says what is measured, `contestants`, `torch_peer` and `jax_peer` who runs it, `race` in
which processes, `stage` what these time; `fits`, `accuracy` and `searches` are the sections of
the page, `report` and `figures` how they are written and drawn. Needs the extra `bench`; a peer
that is not installed is left out. A plain pytest does not look here.
"""
