"""Tells the answer of a study: words, figures, tables and files. Computes nothing that the verdict does not hold."""
