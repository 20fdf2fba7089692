"""From fit tasks to fitted parameters."""
