"""Hash functions written from their standards, one module each, in no hurry.

They are the oracles of the tests, and the reference backend where hashlib lacks the algorithm.
"""
