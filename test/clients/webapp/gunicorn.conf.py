"""A label must not depend on the speed of this machine."""

import pgpool_stats

pgpool_stats.PATIENCE = 60
