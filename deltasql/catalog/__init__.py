"""Names to tables: the warehouse root, registrations, Delta snapshots. Knows no SQL and no DataFusion."""
