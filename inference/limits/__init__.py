"""Limits and money seen together: what is spent of budgets, who is told, and what a limit would have refused.

Here keys (who has which limits) and billing (what was spent) meet, outside the hot path. `spending` says how full
budgets are, `notices` tells people, `replay` decides without I/O what a limit would have refused, and `simulation`
feeds it with the records of a period.
"""
