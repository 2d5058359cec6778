"""Which activation/optimizer combination wins on your Keras model and your data, by how much, and how sure."""

__version__ = "0.1.0"
