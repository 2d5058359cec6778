"""One verb a file: plain functions that compose the layers below and return an exit code."""
