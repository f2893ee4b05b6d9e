"""SQL of another engine, read as that engine reads it and printed as DataFusion's.

What isn't known to mean the same is an error that names it: nothing here passes on what it doesn't know.
"""
