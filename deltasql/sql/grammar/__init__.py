"""One module per family of statements; a function's docstring is its grammar."""
