"""A space in Optuna's terms."""

from __future__ import annotations

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from sweeper.space import Choice, Range, Space


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """One distribution a name, wide enough for every combination: what dashboards and importances need."""
    result: dict[str, BaseDistribution] = {}
    combinations = space.combinations()
    for name in space.compare:
        result[name] = CategoricalDistribution(list(dict.fromkeys(c[name] for c in combinations)))
    for name in space.tuned_names():
        domains = [tuned[name] for tuned in map(space.tuned, combinations) if name in tuned]
        ranges = [domain for domain in domains if isinstance(domain, Range)]
        choices = [value for domain in domains if isinstance(domain, Choice) for value in domain.values]
        if ranges and not choices:
            low, high = min(r.low for r in ranges), max(r.high for r in ranges)
            log = all(r.log for r in ranges)
            whole = all(r.integer for r in ranges)
            if log and not whole:
                low, high = low / 10, high * 10  # a range may be widened by a decade at each end
            result[name] = IntDistribution(int(low), int(high), log) if whole else FloatDistribution(low, high, log)
        elif choices and not ranges and all(isinstance(value, (str, int, float, bool)) for value in choices):
            result[name] = CategoricalDistribution(list(dict.fromkeys(choices)))
    return result
