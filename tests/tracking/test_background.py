import sys
import threading

import pytest
from tracked import STUDY, record

from sweeper.errors import TrackingError
from sweeper.tracking.background import NOWHERE, SWITCH_S, BackgroundTracker, Patience

IMPATIENT = Patience(again_s=0.0, end_s=0.0)
IDS = {"uri": "sqlite:///x", "experiment": "digits", "run_id": "r1"}


class Recorder:
    """A writer that keeps what it is told, and fails where it is told to."""

    def __init__(self, fails=lambda call: False):
        self.calls = []
        self.fails = fails

    def _take(self, *call):
        if self.fails(call):
            raise ConnectionError(f"away at {call[0]}\nsecond line")
        self.calls.append(call)

    def start(self, study):
        self._take("start", study["name"])
        return IDS

    def trial(self, record):
        self._take("trial", record.spec.number)

    def log_model(self, keep, requirements):
        self._take("log_model", keep, requirements)

    def finish(self, status, artifacts, tags):
        self._take("finish", status, artifacts, tags)

    @property
    def trials(self):
        return [call[1] for call in self.calls if call[0] == "trial"]


def tracking(factory, **options):
    settings = {"patience": IMPATIENT, "cure": "sweeper sync", **options}
    tracker = BackgroundTracker(factory, where="the store", **settings)
    tracker.start(STUDY)
    return tracker


def test_everything_is_written_in_order(tmp_path):
    writer = Recorder()
    tracker = tracking(lambda: writer)
    for number in range(5):
        tracker.trial(record(number))
    tracker.log_model(tmp_path, ["keras"])
    tracker.finish("FINISHED", ["a.html"], {"k": "v"})
    assert [call[0] for call in writer.calls] == ["start", *["trial"] * 5, "log_model", "finish"]
    assert writer.trials == [0, 1, 2, 3, 4]
    assert writer.calls[-2:] == [("log_model", tmp_path, ("keras",)), ("finish", "FINISHED", ["a.html"], {"k": "v"})]
    assert tracker.problem is None
    assert tracker.pending == 0


def test_other_threads_have_their_turn_soon_while_it_writes_and_as_before_when_it_has_ended():
    before, seen = sys.getswitchinterval(), []
    tracker = tracking(lambda: seen.append(sys.getswitchinterval()) or Recorder())
    tracker.finish("FINISHED", [], {})
    tracker.close()
    assert seen[0] == pytest.approx(min(before, SWITCH_S))
    assert sys.getswitchinterval() == pytest.approx(before)


def test_the_study_does_not_wait_for_the_store_to_open():
    may_open = threading.Event()
    writer = Recorder()

    def slow():
        may_open.wait()
        return writer

    tracker = tracking(slow)
    tracker.trial(record(0))
    tracker.trial(record(1))
    assert tracker.pending == 2
    assert tracker.ids(timeout_s=0.01) == NOWHERE
    may_open.set()
    assert tracker.ids() == IDS
    tracker.finish("FINISHED", [], {})
    assert writer.trials == [0, 1]


def test_the_writer_lives_on_one_other_thread():
    threads = set()

    class Threaded(Recorder):
        def _take(self, *call):
            threads.add(threading.get_ident())

    def factory():
        threads.add(threading.get_ident())
        return Threaded()

    tracker = tracking(factory)
    tracker.trial(record(0))
    tracker.finish("FINISHED", [], {})
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_store_that_opens_at_the_second_attempt_gets_everything():
    attempts = []
    writer = Recorder()

    def factory():
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError("not yet")
        return writer

    tracker = tracking(factory)
    for number in range(3):
        tracker.trial(record(number))
    tracker.finish("FINISHED", [], {})
    assert writer.trials == [0, 1, 2]
    assert writer.calls[0][0] == "start"
    assert tracker.problem is None


def test_a_store_that_never_opens_does_not_end_the_study():
    def factory():
        raise ConnectionError("nobody there\nand more")

    tracker = tracking(factory)
    for number in range(100):
        tracker.trial(record(number))
    assert tracker.ids() == NOWHERE
    tracker.finish("FINISHED", [], {})
    problem = tracker.problem
    assert problem.where == "the store"
    assert problem.received == "100 trials could not be written: ConnectionError: nobody there"
    assert "sweeper sync" in problem.cure


def test_one_trial_that_cannot_be_written_keeps_none_of_the_others_back():
    writer = Recorder(fails=lambda call: call[:2] == ("trial", 1))
    tracker = tracking(lambda: writer)
    for number in range(5):
        tracker.trial(record(number))
    tracker.finish("FINISHED", [], {})
    assert writer.trials == [0, 2, 3, 4]
    assert writer.calls[-1][0] == "finish"
    assert tracker.problem.received.startswith("1 trial could not be written: ConnectionError: away at trial")


def test_an_outage_in_between_loses_nothing():
    tried, complete = [], threading.Event()

    def fails(call):
        tried.append(call)
        return call[0] == "trial" and 3 <= len(tried) <= 8

    class Counting(Recorder):
        def trial(self, record):
            super().trial(record)
            if len(self.trials) == 20:
                complete.set()

    writer = Counting(fails)
    tracker = tracking(lambda: writer)
    for number in range(20):
        tracker.trial(record(number))
    complete.wait()
    assert writer.trials == list(range(20))
    tracker.finish("FINISHED", [], {})
    assert tracker.problem is None


def test_a_single_failure_at_the_end_is_tried_once_more():
    may_write, tried = threading.Event(), []

    def fails(call):
        may_write.wait()
        tried.append(call)
        return call == ("trial", 0) and tried.count(call) == 1

    writer = Recorder(fails)
    tracker = tracking(lambda: writer)
    for number in range(3):
        tracker.trial(record(number))
    tracker.finish("FINISHED", [], {}, progress=lambda pending: may_write.set())
    assert writer.trials == [0, 1, 2]
    assert tracker.problem is None


def test_a_store_that_goes_away_for_good_is_not_asked_once_a_trial():
    tried = []

    def fails(call):
        tried.append(call)
        return call[0] != "start"

    tracker = tracking(lambda: Recorder(fails), patience=Patience(again_s=60.0, end_s=0.0))
    for number in range(1000):
        tracker.trial(record(number))
    tracker.finish("FINISHED", [], {})
    assert len(tried) < 10
    assert tracker.problem.received.startswith("1000 trials could not be written")


def test_only_the_end_that_could_not_be_written_is_told_too():
    tracker = tracking(lambda: Recorder(lambda call: call[0] == "finish"))
    tracker.trial(record(0))
    tracker.finish("FINISHED", [], {})
    assert tracker.problem.received.startswith("the end of the study could not be written")


def test_an_error_with_a_cure_of_its_own_is_told_as_it_is():
    def factory():
        raise TrackingError.at("experiment 'digits'", "one to write to", "a deleted one", "restore it")

    tracker = tracking(factory)
    tracker.finish("FINISHED", [], {})
    assert tracker.problem.cure.startswith("restore it\nthen sweeper sync ")


class Slow(Recorder):
    """Begins its first trial, and writes nothing until it may."""

    def __init__(self):
        super().__init__()
        self.may_write, self.first = threading.Event(), threading.Event()

    def trial(self, record):
        self.first.set()
        self.may_write.wait()
        super().trial(record)


def test_after_an_interrupt_trials_that_take_too_long_are_left_to_the_next_run():
    writer = Slow()
    tracker = tracking(lambda: writer)
    for number in range(10):
        tracker.trial(record(number))
    writer.first.wait()
    told = []

    def progress(pending):
        told.append(pending)
        writer.may_write.set()

    tracker.finish("KILLED", [], {}, within_s=0.0, progress=progress)
    assert writer.trials == [0]
    assert writer.calls[-1][0] == "finish"
    assert told[0] in (0, 9)  # those that wait are given up as soon as the thread looks
    assert tracker.problem.received == "9 trials could not be written: there was no time left"


def test_closing_stops_after_the_write_at_hand():
    writer = Slow()
    tracker = tracking(lambda: writer)
    for number in range(3):
        tracker.trial(record(number))
    writer.first.wait()
    tracker.close(timeout_s=0.0)
    writer.may_write.set()
    tracker.close()
    assert writer.trials == [0]
    assert tracker.problem.received.startswith("2 trials")


def test_a_model_that_cannot_be_kept_is_told_and_the_rest_is_written(tmp_path):
    writer = Recorder(lambda call: call[0] == "log_model")
    tracker = tracking(lambda: writer)
    tracker.trial(record(0))
    tracker.log_model(tmp_path, [])
    tracker.finish("FINISHED", [], {})
    assert writer.trials == [0]
    assert writer.calls[-1][0] == "finish"
    assert tracker.problem.received.startswith("the kept model could not be written")


@pytest.mark.parametrize("method", ["close", "finish"])
def test_a_tracker_that_never_started_ends_at_once(method):
    tracker = BackgroundTracker(Recorder)
    tracker.finish("FAILED", [], {}) if method == "finish" else tracker.close()
    assert tracker.problem is None
