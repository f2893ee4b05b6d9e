"""What goes with other packages, which are extras: each module is imported by itself, and by nothing of deltasql's."""
