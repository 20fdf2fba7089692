"""A network on one flat vector: layers, buffers, passes."""
