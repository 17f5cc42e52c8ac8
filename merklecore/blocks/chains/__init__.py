"""The chains that the engine knows, one module each."""
