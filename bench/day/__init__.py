"""The worst day: a heat wave, ten million inhabitants, 332 municipalities, the real product on a clock
that is moved by hand. `python -m bench.day` runs it; docs/worst-day.md says what is known, what is assumed
and what came of it.
"""
