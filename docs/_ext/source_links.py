"""Links from the reference to the line of the source."""

import importlib
import inspect
from pathlib import Path

import skdeep

ROOT = Path(skdeep.__file__).parents[1]


def source_links(address: str):
    """Sphinx' ``linkcode_resolve`` for the repository at that address."""

    def resolve(domain: str, info: dict) -> str | None:
        if domain != "py" or not info["module"]:
            return None
        found = importlib.import_module(info["module"])
        try:
            for name in info["fullname"].split("."):
                found = getattr(found, name)
            found = inspect.unwrap(getattr(found, "fget", None) or found)
            path = Path(inspect.getsourcefile(found)).relative_to(ROOT)
            lines, start = inspect.getsourcelines(found)
        except (AttributeError, TypeError, OSError, ValueError):
            return None  # no Python object of skdeep, such as a dict or an inherited method
        anchor = f"L{start}-L{start + len(lines) - 1}"
        return f"{address.rstrip('/')}/blob/main/{path.as_posix()}#{anchor}"

    return resolve
