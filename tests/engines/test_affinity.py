"""Who trains what: cheap for the worker, and every cohort exactly once whatever it chooses."""

from test_engines import ends, process_engine

from sweeper.engines.affinity import Affinity
from sweeper.trial import Cohort, Combination, Heartbeat, Seeds, Signal, Stage, TrialSpec


def cohort(number, activation, optimizer):
    params = {"activation": activation, "optimizer": optimizer}
    spec = TrialSpec(number, Stage.EXPLORE, Combination(params), params, Seeds(0, number, number), epochs=2)
    return Cohort((spec,))


RELU_SGD, RELU_ADAM, TANH_ADAM, TANH_SGD = (
    cohort(number, *names)
    for number, names in enumerate([("relu", "sgd"), ("relu", "adam"), ("tanh", "adam"), ("tanh", "sgd")])
)


def test_a_worker_prefers_what_it_has_compiled_then_what_nobody_has():
    everyone = set()
    mine, other = Affinity(everyone), Affinity(everyone)
    mine.trains(RELU_SGD)
    other.trains(TANH_ADAM)
    assert mine.best([TANH_ADAM, RELU_ADAM, RELU_SGD]) == 2
    assert mine.best([TANH_ADAM, RELU_ADAM]) == 1
    assert other.best([RELU_SGD, TANH_SGD]) == 1


def test_of_combinations_new_to_all_one_that_shares_the_model_comes_first_then_one_that_shares_the_optimizer():
    worker = Affinity(set())
    assert worker.best([TANH_SGD, RELU_ADAM]) == 0
    worker.trains(RELU_SGD)
    assert worker.best([TANH_ADAM, TANH_SGD]) == 1
    assert worker.best([TANH_SGD, RELU_ADAM]) == 1


def test_workers_share_out_the_activations():
    everyone = set()
    workers = [Affinity(everyone), Affinity(everyone)]
    pairs = [(activation, optimizer) for activation in ("relu", "sigmoid", "tanh", "gelu") for optimizer in "abc"]
    waiting, trained = [cohort(n, *pair) for n, pair in enumerate(pairs)], [set(), set()]
    while waiting:
        for worker, activations in zip(workers, trained, strict=True):
            taken = waiting.pop(worker.best(waiting))
            worker.trains(taken)
            activations.add(taken.trials[0].combination["activation"])
    assert [len(activations) for activations in trained] == [2, 2]
    assert trained[0].isdisjoint(trained[1])


def test_every_cohort_is_trained_once_whatever_the_workers_choose():
    waiting = [cohort(n, *names) for n, names in enumerate([("relu", "sgd"), ("tanh", "adam")] * 5)]
    events = []

    def choosing(choose, /):
        return waiting.pop(choose(waiting)) if waiting else None

    def heard(event):
        if not isinstance(event, Heartbeat):
            events.append(event)
        return Signal.CONTINUE

    process_engine("scripted").run(choosing, heard)
    assert sorted(ends(events)) == list(range(10))
