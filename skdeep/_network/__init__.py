"""Networks on one flat parameter vector: layers, buffers, forward and backward passes."""
