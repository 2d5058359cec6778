"""From trial records to a verdict: pure functions, no input or output, every generator an argument or a seed."""
