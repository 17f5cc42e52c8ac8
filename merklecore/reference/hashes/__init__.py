"""Hash functions written from their standards, one module each: oracles of the tests, in no hurry."""
