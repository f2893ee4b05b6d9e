"""The dot-commands of the prompt."""
