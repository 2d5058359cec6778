"""Writing down for people what happened: MLflow as a projection of the ledger that can always be rebuilt."""
