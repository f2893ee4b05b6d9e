"""The commands of the prompt, grouped by what they are about; `registry` lists them.

A command is a function of the `Shell` and its argument. Its docstring is its help: the usage in the first line, then
what it does. It raises deltasql's errors for what it can't do.
"""
