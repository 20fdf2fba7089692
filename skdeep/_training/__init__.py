"""Training: from fit tasks to fitted parameters."""
