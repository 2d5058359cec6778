import numpy as np
import pytest

from sweeper import vocabulary
from sweeper.catalog.models import MODELS, resolve_model
from sweeper.data import DataInfo
from sweeper.errors import ModelError

TABLE = DataInfo.of((8,), classes=3)
PICTURE = DataInfo.of((8, 8, 1), classes=3)
SERIES = DataInfo.of((5, 4), classes=None)
WORDS = DataInfo.of((6,), classes=2, vocabulary=50)

NON_DEFAULT = {
    "units": [6, 4],
    "filters": [3],
    "kernel_size": 5,
    "dense_units": [7],
    "dropout": 0.3,
    "recurrent_dropout": 0.1,
    "batch_norm": True,
    "kernel_initializer": "he_normal",
    "l2": 0.01,
    "embedding": 3,
}


def test_the_built_in_names_are_those_of_the_vocabulary():
    assert set(MODELS) == set(vocabulary.MODEL_OPTIONS)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(ModelError, match="did you mean 'cnn'"):
        resolve_model("cn")


def test_a_function_beside_the_study_file_is_found(tmp_path):
    (tmp_path / "small_net.py").write_text("def build(info, activation):\n    return 'a net'\n")
    assert resolve_model("small_net:build", tmp_path)(TABLE, "relu") == "a net"


def test_what_cannot_be_called_is_no_model(tmp_path):
    (tmp_path / "constant_net.py").write_text("build = 3\n")
    with pytest.raises(ModelError, match="a function build"):
        resolve_model("constant_net:build", tmp_path)


@pytest.mark.slow
class TestKerasModels:
    @pytest.mark.parametrize(
        ("name", "info"),
        [
            ("mlp", TABLE),
            ("mlp", PICTURE),
            ("cnn", PICTURE),
            ("cnn", DataInfo.of((8, 8), classes=2)),
            ("lstm", SERIES),
            ("lstm", PICTURE),
            ("lstm", WORDS),
        ],
    )
    def test_the_output_follows_from_the_task(self, name, info):
        model = resolve_model(name)(info, "relu")
        assert not model.compiled
        assert model.input_shape == (None, *info.input_shape)
        assert model.output_shape == (None, info.output_units)
        assert model.layers[-1].activation.__name__ == info.output_activation
        assert model.layers[-1].compute_dtype == "float32"

    @pytest.mark.parametrize(("name", "info"), [("mlp", TABLE), ("cnn", PICTURE), ("lstm", SERIES)])
    def test_every_option_of_the_vocabulary_changes_the_model(self, name, info):
        build = resolve_model(name)
        plain = _description(build(info, "relu"))
        for option in vocabulary.MODEL_OPTIONS[name]:
            info_for_option = WORDS if option == "embedding" else info
            reference = _description(build(info_for_option, "relu")) if option == "embedding" else plain
            assert _description(build(info_for_option, "relu", **{option: NON_DEFAULT[option]})) != reference, option

    @pytest.mark.parametrize("activation", vocabulary.ACTIVATIONS)
    @pytest.mark.parametrize(("name", "info"), [("mlp", TABLE), ("cnn", PICTURE), ("lstm", SERIES)])
    def test_every_activation_gives_a_model_that_predicts(self, name, info, activation):
        model = resolve_model(name)(info, activation)
        x = np.random.default_rng(0).normal(size=(2, *info.input_shape)).astype(np.float32)
        y = np.asarray(model(x))
        assert y.shape == (2, info.output_units)
        assert np.isfinite(y).all() or (name, activation) == ("lstm", "exponential")  # e to the e overflows in a cell

    def test_the_width_of_a_layer_is_what_comes_out_of_glu(self):
        model = resolve_model("mlp")(TABLE, "glu", units=(6, 4))
        assert [kernel.shape for kernel in model.weights[::2]] == [(8, 12), (6, 8), (4, 3)]

    def test_the_activation_of_an_lstm_is_that_of_its_cell(self):
        model = resolve_model("lstm")(SERIES, "relu")
        assert model.layers[1].activation.__name__ == "relu"

    def test_layers_do_not_begin_with_the_same_weights(self):
        first, second = resolve_model("mlp")(TABLE, "relu", units=(8, 8)).weights[:4:2]
        assert not np.array_equal(np.asarray(first), np.asarray(second))

    def test_small_pictures_are_not_pooled_away(self):
        model = resolve_model("cnn")(DataInfo.of((5, 5, 1), classes=3), "relu", filters=(4, 4, 4))
        assert sum("pooling" in layer.name for layer in model.layers) == 1

    @pytest.mark.parametrize(
        ("name", "info"),
        [("cnn", TABLE), ("lstm", TABLE), ("cnn", WORDS), ("mlp", WORDS), ("lstm", DataInfo.of((2,) * 4, classes=2))],
    )
    def test_data_that_do_not_fit_are_refused_with_a_cure(self, name, info):
        with pytest.raises(ModelError, match=r"try\s+model: \{name"):
            resolve_model(name)(info, "relu")


def _description(model):
    return [(layer.__class__, {k: v for k, v in layer.get_config().items() if k != "name"}) for layer in model.layers]
