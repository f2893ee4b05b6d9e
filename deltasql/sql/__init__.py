"""Text to statements: tokens, grammar, parameters, rewriting. The only home of sqlglot; no Arrow, no I/O."""
