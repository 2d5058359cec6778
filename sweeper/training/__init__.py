"""Ways to train the Keras models of a cohort: one contract, shared by all of them."""
