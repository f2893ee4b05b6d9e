"""What writes share: store assignment, data made fit for Delta, commits."""
