"""A joblib backend that trains many fits together."""
