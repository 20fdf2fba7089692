"""Side-by-side timings of skdeep, its peers and the machine's matrix products.

    python -m tests.benchmarks                      the whole document, on standard output
    python -m tests.benchmarks --cases mnist        cases whose name contains "mnist"
    python -m tests.benchmarks.profile mnist        where one case's time goes, line by line
    python -m tests.benchmarks.tabular              tabular estimators, on whole tables

`cases` says what is measured, `contestants` and `torch_peers` who runs it, `race` how,
`report` how it is written down. Needs the extra `bench`; a plain pytest does not look here.
"""
