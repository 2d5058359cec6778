"""What worker processes run in the tests of engines; importable by them."""

import multiprocessing
import os
import signal
import sys
import time

from sweeper.engines.serving import CohortDone, WorkerFailed, serve
from sweeper.errors import ModelError
from sweeper.testing import ScriptedTrainer, small_dataset
from sweeper.trial import EpochEnded, Signal, TrainerReady, TrialEnded

RETIRES = False
"""Whether workers end after every cohort; set by `main_retiring` in its own process."""


def score(spec):
    return spec.number / 100


def main(pipe, answers, log=None):
    """A worker whose payload names a trainer of this module."""
    trainer = globals()[pipe.recv()]
    pipe.send(TrainerReady("scripted"))

    def send(event):
        pipe.send(event)
        return Signal(pipe.recv()) if answers and isinstance(event, EpochEnded) else Signal.CONTINUE

    while True:
        try:
            cohort = pipe.recv()
        except EOFError:
            return
        serve(cohort, trainer, small_dataset(), send)
        pipe.send(CohortDone(retires=RETIRES))
        if RETIRES:
            return


def main_retiring(pipe, answers):
    global RETIRES
    RETIRES = True
    main(pipe, answers)


def main_refusing(pipe, answers):
    pipe.recv()
    pipe.send(WorkerFailed(ModelError.at("model", "a model", "None", "return it").to_dict()))


scripted = ScriptedTrainer(score)


def dies_on_trial_3(cohort, data, report):
    for spec in cohort.trials:
        if spec.number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        report(TrialEnded.completed(spec, {"val_accuracy": score(spec)}))
    return []


def dies_of_three(cohort, data, report):
    """Memory that is enough for two trials together."""
    assert cohort.cramped == (len(cohort.trials) < 4)
    if len(cohort.trials) > 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return scripted(cohort, data, report)


def main_choosing(pipe, answers):
    """A worker that takes its time to choose a way, unless it is told one."""
    way = pipe.recv()
    if way == "auto":
        time.sleep(0.3)
        way = f"chosen by {os.getpid()}"
    pipe.send(TrainerReady(way))
    while True:
        try:
            cohort = pipe.recv()
        except EOFError:
            return
        for spec in cohort.trials:
            pipe.send(TrialEnded.failed(spec, way))
        pipe.send(CohortDone())


def main_dying_before_it_has_chosen(pipe, answers):
    mark = pipe.recv()
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    pipe.send(TrainerReady("late"))
    while True:
        try:
            cohort = pipe.recv()
        except EOFError:
            return
        for spec in cohort.trials:
            pipe.send(TrialEnded.failed(spec, "late"))
        pipe.send(CohortDone())


def dies_once(cohort, data, report):
    marker = cohort.trials[0].params["marker"]
    for spec in cohort.trials:
        if spec.number == 3 and not os.path.exists(marker):
            open(marker, "w").close()
            os._exit(7)
        report(TrialEnded.completed(spec, {"val_accuracy": score(spec)}))
    return []


def hangs_on_trial_3(cohort, data, report):
    for spec in cohort.trials:
        if spec.number == 3:
            time.sleep(60)
        report(TrialEnded.completed(spec, {"val_accuracy": score(spec)}))
    return []


def tells_pid(cohort, data, report):
    return [TrialEnded.completed(spec, {"val_accuracy": float(os.getpid())}) for spec in cohort.trials]


def dies_with_trial_0(cohort, data, report):
    if cohort.trials[0].number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return [TrialEnded.completed(spec, {"val_accuracy": score(spec)}) for spec in cohort.trials]


def dies_before_its_child(cohort, data, report):
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    os.kill(os.getpid(), signal.SIGKILL)


def starts_a_process(cohort, data, report):
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    return [TrialEnded.completed(spec, {"val_accuracy": score(spec)}) for spec in cohort.trials]


def prints(cohort, data, report):
    sys.stdout.write("as loud as can be\n")
    return [TrialEnded.completed(spec, {"val_accuracy": score(spec)}) for spec in cohort.trials]
