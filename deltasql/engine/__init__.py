"""A statement's query to Arrow. The only home of datafusion."""
