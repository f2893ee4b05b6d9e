"""The prompt. The only home of prompt_toolkit."""
