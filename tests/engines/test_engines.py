"""What every engine promises, and what only processes can: to survive a worker."""

import functools
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import worker_mains

from sweeper.engines.forking import warm_up
from sweeper.engines.inline import InlineEngine
from sweeper.engines.processes import ProcessEngine
from sweeper.engines.serving import serve
from sweeper.errors import ModelError, SweeperError
from sweeper.setup import TrainerSetup
from sweeper.testing import ScriptedTrainer, small_dataset
from sweeper.trial import (
    Cohort,
    Combination,
    EpochEnded,
    Heartbeat,
    Seeds,
    Signal,
    Stage,
    Status,
    TrainerReady,
    TrialEnded,
    TrialSpec,
)
from sweeper.worker import Payload
from sweeper.worker import main as worker_main


def spec(number, **params):
    return TrialSpec(
        number, Stage.EXPLORE, Combination({"activation": "relu"}), {"activation": "relu", **params},
        Seeds(0, number, number), epochs=2, repetition=number,
    )  # fmt: skip


def first(_cohorts):
    return 0


def cohorts(trials, size, **params):
    return [
        Cohort(tuple(spec(n, **params) for n in range(start, min(start + size, trials))))
        for start in range(0, trials, size)
    ]


def drive(engine, work, on_event=lambda event: Signal.CONTINUE):
    waiting, events = list(work), []

    def take(event):
        if not isinstance(event, (Heartbeat, TrainerReady)):
            events.append(event)
        return on_event(event)

    engine.run(lambda choose=first: waiting.pop(choose(waiting)) if waiting else None, take)
    return events


def ends(events):
    return {event.number: event for event in events if isinstance(event, TrialEnded)}


def payload_of(trainer):
    setup = TrainerSetup(trainer=trainer, folder=os.path.dirname(__file__))
    return lambda: Payload(setup, small_dataset(), None)


def process_engine(trainer, **options):
    return ProcessEngine(worker_mains.main, lambda: trainer, **{"workers": 2, **options})


ENGINES = {
    "inline": lambda: InlineEngine(lambda: (ScriptedTrainer(worker_mains.score), small_dataset())),
    "processes": functools.partial(process_engine, "scripted"),
}


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_every_trial_ends_exactly_once_and_epochs_come_before(make):
    events = drive(make(), cohorts(10, 3))
    numbers = [event.number for event in events if isinstance(event, TrialEnded)]
    assert sorted(numbers) == list(range(10))
    for number in range(10):
        own = [event for event in events if event.number == number]
        assert [type(event) for event in own] == [EpochEnded, EpochEnded, TrialEnded]
    assert ends(events)[7].metrics["val_accuracy"] == 0.07


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_no_work_starts_nothing(make):
    assert drive(make(), []) == []


@pytest.mark.parametrize("make", ENGINES.values(), ids=ENGINES)
def test_an_exception_of_the_coordinator_ends_everything_and_is_raised(make):
    def refuse(event):
        if isinstance(event, TrialEnded):
            raise RuntimeError("enough")
        return Signal.CONTINUE

    engine = make()
    with pytest.raises(RuntimeError, match="enough"):
        drive(engine, cohorts(10, 3), refuse)
    assert getattr(engine, "_alive", []) == []


@pytest.mark.parametrize(
    "engine",
    [
        InlineEngine(lambda: (ScriptedTrainer(worker_mains.score), small_dataset())),
        process_engine("scripted", answers=True),
    ],
    ids=["inline", "processes"],
)
def test_stop_ends_the_trial_it_answers_and_no_other(engine):
    events = drive(engine, cohorts(4, 2), lambda e: Signal.STOP if getattr(e, "number", None) == 1 else Signal.CONTINUE)
    found = ends(events)
    assert found[1].status is Status.PRUNED
    assert found[1].epochs == 1
    assert {found[n].status for n in (0, 2, 3)} == {Status.COMPLETED}


def test_workers_live_on_from_cohort_to_cohort():
    found = ends(drive(process_engine("tells_pid"), cohorts(12, 1)))
    pids = {end.metrics["val_accuracy"] for end in found.values()}
    assert len(found) == 12
    assert len(pids) <= 2


def test_workers_that_retire_are_replaced():
    engine = ProcessEngine(worker_mains.main_retiring, lambda: "tells_pid", workers=2)
    found = ends(drive(engine, cohorts(6, 2)))
    pids = [found[n].metrics["val_accuracy"] for n in range(6)]
    assert len(set(pids)) == 3
    assert {end.status for end in found.values()} == {Status.COMPLETED}


def test_a_worker_that_dies_once_costs_nothing_but_time(tmp_path):
    found = ends(drive(process_engine("dies_once"), cohorts(6, 3, marker=str(tmp_path / "died"))))
    assert {end.status for end in found.values()} == {Status.COMPLETED}
    assert len(found) == 6


def test_a_trial_that_kills_its_worker_costs_no_other_trial_of_its_cohort():
    found = ends(drive(process_engine("dies_with_trial_0"), cohorts(8, 4)))
    assert found[0].status is Status.CRASHED
    assert "3 times" in found[0].reason
    assert [found[n].status for n in range(1, 8)] == [Status.COMPLETED] * 7


def test_a_cohort_whose_worker_was_killed_is_tried_in_halves():
    found = ends(drive(process_engine("dies_of_three"), cohorts(8, 4)))
    assert [found[n].status for n in range(8)] == [Status.COMPLETED] * 8


def test_the_others_follow_the_first_worker():
    chosen = []

    def hear(event):
        if isinstance(event, TrainerReady):
            chosen.append(event.way)
        return Signal.CONTINUE

    engine = ProcessEngine(worker_mains.main_choosing, lambda: chosen[0] if chosen else "auto", workers=3, follow=True)
    found = ends(drive(engine, cohorts(9, 1), hear))
    assert len({end.reason for end in found.values()}) == 1
    assert len(found) == 9


def test_the_death_of_the_first_worker_leaves_the_others_to_choose(tmp_path):
    mark = tmp_path / "died"
    main = worker_mains.main_dying_before_it_has_chosen
    found = ends(drive(ProcessEngine(main, lambda: str(mark), workers=2, follow=True), cohorts(4, 1)))
    assert {end.reason for end in found.values()} == {"late"}
    assert mark.exists()


def test_an_eager_worker_gets_ready_before_the_first_cohort_is_asked_for():
    waiting, told = cohorts(4, 1), threading.Event()

    def payload():
        told.set()
        return "scripted"

    def next_cohort(choose=first):
        assert told.is_set()
        return waiting.pop(0) if waiting else None

    engine = ProcessEngine(worker_mains.main, payload, workers=2).eager()
    events = []
    engine.run(next_cohort, lambda event: events.append(event) or Signal.CONTINUE)
    assert sorted(event.number for event in events if isinstance(event, TrialEnded)) == [0, 1, 2, 3]
    assert sum(isinstance(event, TrainerReady) for event in events) == 2


def test_an_eager_worker_that_dies_getting_ready_is_replaced(tmp_path):
    main, mark = worker_mains.main_dying_before_it_has_chosen, tmp_path / "died"
    found = ends(drive(ProcessEngine(main, lambda: str(mark), workers=1).eager(), cohorts(2, 1)))
    assert {end.reason for end in found.values()} == {"late"}
    assert mark.exists()


def test_eager_workers_are_ended_where_the_first_cohort_never_comes():
    engine = ProcessEngine(worker_mains.main, lambda: "scripted", workers=2).eager()

    def refuses(choose=first):
        assert len(engine._alive) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(refuses, lambda event: Signal.CONTINUE)
    assert engine._alive == []


def test_a_worker_has_its_next_cohort_before_the_ends_of_the_last_are_stored():
    waiting, order = cohorts(4, 2), []

    def next_cohort(choose=first):
        order.append("handed out" if waiting else "nothing left")
        return waiting.pop(0) if waiting else None

    def store(event):
        if isinstance(event, TrialEnded):
            time.sleep(0.05)
            order.append("stored")
        return Signal.CONTINUE

    process_engine("scripted", workers=1).run(next_cohort, store)
    assert [word for word in order if word != "nothing left"] in (
        ["handed out", "handed out", "stored", "stored", "stored", "stored"],
        ["handed out", "stored", "handed out", "stored", "stored", "stored"],  # its last word came a moment later
    )


def test_a_trial_that_kills_its_worker_again_and_again_is_recorded():
    events = drive(process_engine("dies_on_trial_3"), cohorts(8, 4))
    found = ends(events)
    assert found[3].status is Status.CRASHED
    assert "signal 9" in found[3].reason
    assert [found[n].status for n in (0, 1, 2, 4, 5, 6, 7)] == [Status.COMPLETED] * 7
    assert sum(isinstance(event, TrialEnded) for event in events) == 8


def test_the_death_of_a_worker_is_noticed_although_its_child_lives():
    found = ends(drive(process_engine("dies_before_its_child"), cohorts(1, 1)))
    assert found[0].status is Status.CRASHED


def test_a_trainer_may_start_processes():
    found = ends(drive(process_engine("starts_a_process"), cohorts(1, 1)))
    assert found[0].status is Status.COMPLETED


@pytest.mark.parametrize("answers", [False, True])
def test_a_broken_pipe_of_the_coordinator_is_not_the_death_of_a_worker(answers):
    def show(event):
        if isinstance(event, TrialEnded):
            raise BrokenPipeError(32, "Broken pipe")
        return Signal.CONTINUE

    with pytest.raises(BrokenPipeError):
        drive(process_engine("scripted", workers=1, answers=answers), cohorts(4, 2), show)


def test_what_workers_print_reaches_their_log(tmp_path):
    log = tmp_path / "worker.log"
    main = functools.partial(worker_main, log=str(log))
    drive(ProcessEngine(main, payload_of("worker_mains:prints"), workers=1), cohorts(1, 1))
    assert "as loud as can be" in log.read_text(encoding="utf-8")


def test_a_worker_that_cannot_start_tells_why():
    engine = ProcessEngine(worker_main, lambda: "no payload", workers=1)
    with pytest.raises(SweeperError, match=r"AttributeError.*(.|\n)*worker\.log"):
        drive(engine, cohorts(1, 1))


def test_a_coordinator_that_ends_while_workers_train_does_not_wait_for_them():
    script = """
import threading
import worker_mains
from sweeper.engines.processes import ProcessEngine
from sweeper.trial import Cohort, Combination, Seeds, Stage, TrainerReady, TrialSpec

ready = threading.Event()
spec = TrialSpec(3, Stage.EXPLORE, Combination({}), {}, Seeds(0, 0, 0), epochs=1)
waiting = [Cohort((spec,))]
engine = ProcessEngine(worker_mains.main, lambda: "hangs_on_trial_3", workers=1)
cohorts = lambda choose: waiting.pop() if waiting else None
threading.Thread(target=engine.run, args=(cohorts, lambda event: ready.set()), daemon=True).start()
ready.wait()
"""
    place = os.path.dirname(__file__)
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30, cwd=place)


def test_warming_up_leaves_no_variable_behind(tmp_path):
    before = dict(os.environ)
    warm_up("sweeper.trial", str(tmp_path / "worker.log"))
    assert dict(os.environ) == before


def test_a_hanging_worker_is_ended_and_its_trial_recorded():
    found = ends(drive(process_engine("hangs_on_trial_3", per_trial_s=0.5), cohorts(8, 4)))
    assert found[3].status is Status.TIMED_OUT
    assert "budget.per_trial" in found[3].reason
    assert [found[n].status for n in (0, 1, 2, 4, 5, 6, 7)] == [Status.COMPLETED] * 7


def test_what_a_worker_refuses_is_raised_as_the_same_error():
    engine = ProcessEngine(worker_mains.main_refusing, lambda: "", workers=1)
    with pytest.raises(ModelError, match="return it"):
        drive(engine, cohorts(1, 1))


def test_a_trainer_that_raises_fails_what_it_had_not_reported():
    def train(cohort, data, report):
        report(TrialEnded.completed(cohort.trials[0], {"val_accuracy": 1.0}))
        raise ValueError("no such layer")

    found = ends(drive(InlineEngine(lambda: (train, small_dataset())), cohorts(3, 3)))
    assert found[0].status is Status.COMPLETED
    assert found[1].status is found[2].status is Status.FAILED
    assert "ValueError: no such layer" in found[1].reason
    assert "test_engines.py" in found[1].reason


def test_a_trainer_that_forgets_a_trial_fails_it():
    found = ends(drive(InlineEngine(lambda: (lambda *_: None, small_dataset())), cohorts(1, 1)))
    assert "returned no result" in found[0].reason


def test_sys_exit_in_user_code_is_a_failed_trial():
    def train(cohort, data, report):
        raise SystemExit(3)

    found = ends(drive(InlineEngine(lambda: (train, small_dataset())), cohorts(1, 1)))
    assert found[0].status is Status.FAILED


ABOUT = {"val_accuracy": 0.5}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda spec: ABOUT, "TypeError: a trainer reports EpochEnded or TrialEnded, not dict"),
        (lambda spec: TrialEnded.completed(spec, {"val_accuracy": None}), "None is not a number"),
        (lambda spec: TrialEnded.completed(spec, {**ABOUT, "lock": threading.Lock()}), "lock of trial 0"),
        (lambda spec: TrialEnded(99, Status.COMPLETED, ABOUT), "TrialEnded of trial 99, which is not in this cohort"),
        (lambda spec: TrialEnded(spec.number, "fine", ABOUT), "'fine' is not a Status"),
        (lambda spec: TrialEnded(spec.number, Status.COMPLETED, 0.5), "float is not a mapping"),
        (lambda spec: EpochEnded(99, 0, ABOUT), "EpochEnded of trial 99"),
    ],
)
@pytest.mark.parametrize("returned", [True, False])
def test_an_event_that_is_none_fails_its_trial(make, reason, returned):
    def train(cohort, data, report):
        events = [make(spec) for spec in cohort.trials]
        if returned:
            return events
        for event in events:
            report(event)
        return []

    found = ends(drive(InlineEngine(lambda: (train, small_dataset())), cohorts(2, 2)))
    assert sorted(found) == [0, 1]
    assert {end.status for end in found.values()} == {Status.FAILED}
    assert reason in found[0].reason


def test_an_epoch_of_a_trial_that_has_ended_is_a_fault():
    def train(cohort, data, report):
        report(TrialEnded.completed(cohort.trials[0], ABOUT))
        report(EpochEnded(0, 1, ABOUT))

    found = ends(drive(InlineEngine(lambda: (train, small_dataset())), cohorts(2, 2)))
    assert found[0].status is Status.COMPLETED
    assert "which has ended" in found[1].reason


def test_metrics_of_any_number_type_arrive_as_floats():
    def train(cohort, data, report):
        return [TrialEnded.completed(spec, {"val_accuracy": np.float32(0.5)}) for spec in cohort.trials]

    found = ends(drive(InlineEngine(lambda: (train, small_dataset())), cohorts(1, 1)))
    assert type(found[0].metrics["val_accuracy"]) is float


def test_an_end_that_could_not_be_sent_is_told_as_failed():
    arrived = []

    def send(event):
        if event.status is Status.COMPLETED:
            raise OSError("no room in the pipe")
        arrived.append(event)
        return Signal.CONTINUE

    serve(cohorts(1, 1)[0], ScriptedTrainer(worker_mains.score), small_dataset(), only_ends(send))
    assert [end.status for end in arrived] == [Status.FAILED]
    assert "no room in the pipe" in arrived[0].reason


def only_ends(send):
    return lambda event: send(event) if isinstance(event, TrialEnded) else Signal.CONTINUE
