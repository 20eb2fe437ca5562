"""People: who is on call, how they are rung until one of them takes the case, and what they then may do."""
