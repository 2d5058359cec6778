"""What to train next: pure functions of the trials that have ended."""
