import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from sweeper.planning import rows

DISTRIBUTIONS = {
    "activation": CategoricalDistribution(["relu", "tanh"]),
    "learning_rate": FloatDistribution(1e-5, 1.0, log=True),
}
TEMPLATES = [
    create_trial(
        state=TrialState.RUNNING,
        params={"activation": activation, "learning_rate": rate},
        distributions=DISTRIBUTIONS,
        user_attrs={"spec": {"seeds": [1, 2]}, "stage": "explore"},
    )
    for activation, rate in (("tanh", 0.1), ("relu", 3e-4))
]


@pytest.fixture(params=["file", "memory"])
def storage(request, tmp_path):
    if request.param == "memory":
        yield optuna.storages.InMemoryStorage()
        return
    opened = optuna.storages.RDBStorage(f"sqlite:///{tmp_path / 'study.db'}")
    yield opened
    opened.remove_session()
    opened.engine.dispose()


def content(study):
    return [
        (trial.number, trial.state, trial.params, trial.distributions, trial.user_attrs, trial.datetime_start is None)
        for trial in study.get_trials()
    ]


def test_optuna_reads_rows_as_if_it_had_written_them(storage):
    theirs, ours = (optuna.create_study(storage=storage, study_name=name) for name in ("theirs", "ours"))
    for template in TEMPLATES:
        storage.create_new_trial(theirs._study_id, template)
    ids = rows.begin(storage, ours._study_id, TEMPLATES)
    assert content(ours) == content(theirs)
    assert [trial._trial_id for trial in ours.get_trials()] == ids


def test_an_attribute_is_added_or_replaced(storage):
    study = optuna.create_study(storage=storage)
    first, second = rows.begin(storage, study._study_id, TEMPLATES)
    rows.add_attributes(storage, {first: {"stage": "race", "ended": {"score": float("inf")}}})
    rows.add_attributes(storage, {second: {}})
    attributes = [trial.user_attrs for trial in study.get_trials()]
    assert attributes == [
        {"spec": {"seeds": [1, 2]}, "stage": "race", "ended": {"score": float("inf")}},
        {"spec": {"seeds": [1, 2]}, "stage": "explore"},
    ]
    storage.set_trial_state_values(first, TrialState.COMPLETE, [0.5])
    assert study.best_value == 0.5
