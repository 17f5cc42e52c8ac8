"""Block formats in plain Python, one chain a group of modules: the readable specification of the native scanners."""
