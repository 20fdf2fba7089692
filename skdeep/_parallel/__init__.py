"""Many fits trained together, as one joblib backend."""
