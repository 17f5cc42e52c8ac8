"""Block formats in plain Python: the readable specification of the native scanners."""
