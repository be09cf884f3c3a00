"""What the playground allows: sizes of requests, of scenes and of work."""

from __future__ import annotations

MAX_BODY = 256 * 1024  # bytes of a request that are read
MAX_DISCARD = 32 * 1024 * 1024  # bytes of a refused request that are thrown away, so that its sender sees the refusal
MAX_POINTS = 500
MAX_COORDINATE = 1e6
MAX_CONNECTIONS = 32  # open at once; a browser keeps six
MAX_LISTENERS = 16  # streams open at once; one of a page just left is noticed after a second or two
READ_SECONDS = 5.0  # a client that says nothing for so long is let go

TOLERANCE = 1e-6  # relative gap at which a margin is certified here: the last digits cost time, and nobody sees them
SOLVE_SECONDS = (0.05, 5.0)  # range of the time limit that a page may ask for
CHECK_SECONDS = 60.0
SLACK_SECONDS = 10.0  # beyond its own time limit, after which a worker is ended by force
PATIENCE_SECONDS = 2.0  # for a worker to leave a superseded solve before it is ended by force
START_SECONDS = 60.0  # for a new worker to import what it needs

MAX_WIDTH = 1000
MAX_STEPS = 200_000
RUN_SECONDS = 900.0
FRAMES = 20  # frames per second
UNHEARD_SECONDS = 10.0  # a run that no page listens to ends after so long
