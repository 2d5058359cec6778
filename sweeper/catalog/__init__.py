"""What a study can name: data sets and models, as tables of strings that are imported only when asked for."""
