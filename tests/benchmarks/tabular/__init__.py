"""Error, log-loss and time of the tabular estimators and their peers, on whole tables.

    python -m tests.benchmarks.tabular                      tables that come with scikit-learn
    python -m tests.benchmarks.tabular --data FOLDER        tables of a folder: see `tables`
    python -m tests.benchmarks.tabular --ablations          single changes to the recipe

Each table is split three times into 80 % training and 20 % test rows. On each split, all models
are fitted one after another, with their defaults and one thread, so that a change of the
machine's speed meets them all. The error is the share of wrong labels, or the root mean squared
error in standard deviations of the target. Models are compared by the geometric mean over
tables of (error + 0.01) / (error of HistGradientBoosting + 0.01) on the same splits; likewise
by the log-loss.

`tables` says what is read, `models` and `ablations` what is fitted, `cells` how it is measured,
`summary` and `chart` how it is written down.
"""
