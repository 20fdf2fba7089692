"""What one example of the gallery sets is gone before the next."""

import gc
import warnings

import sklearn

FILTERS = warnings.filters[:]


def reset(gallery_conf: dict, fname: str) -> None:
    warnings.resetwarnings()
    warnings.filters[:] = FILTERS
    sklearn.set_config(enable_metadata_routing=False)
    gc.collect()
