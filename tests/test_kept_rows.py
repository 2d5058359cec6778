import json

import numpy as np
import pandas as pd
import pytest

from sweeper.catalog.datasets import load

pytestmark = pytest.mark.slow


def test_a_kept_model_prepares_the_rows_of_a_file_as_training_did(tmp_path):
    import keras

    from sweeper.tracking.sweeper_kept_model import KeptModel

    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "income": np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60)),
            "city": rng.choice(["Ulm", "Bonn", None], 60),
            "floor": pd.Series(rng.choice(["1", "2", "roof"], 60)),
            "owner": rng.random(60) < 0.5,
            "constant": 3.5,
            "price": rng.normal(size=60),
        }
    )
    table.to_csv(tmp_path / "homes.csv", index=False)
    data = load("csv", {"path": "homes.csv", "target": "price"}, tmp_path)
    fitted = data.split(0).preprocessing
    inputs = keras.Input(data.info.input_shape)
    keras.Model(inputs, keras.layers.Activation("linear")(inputs)).save(tmp_path / "model.keras")
    (tmp_path / "data.json").write_text(json.dumps({"task": "regression", "input_shape": data.info.input_shape}))
    (tmp_path / "preprocessing.json").write_text(json.dumps(fitted.to_dict()))
    seen = KeptModel(tmp_path).predict(table.drop(columns="price"))
    assert seen.to_numpy() == pytest.approx(fitted(data.x), abs=1e-6)
