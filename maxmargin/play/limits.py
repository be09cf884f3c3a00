"""What the playground allows: sizes of requests, of scenes and of work."""

from __future__ import annotations

MAX_BODY = 256 * 1024  # bytes of a request that are read
MAX_DISCARD = 32 * 1024 * 1024  # bytes of a refused request that are read and dropped: its sender gets the answer
MAX_POINTS = 500
MAX_COORDINATE = 1e6
MAX_CONNECTIONS = 32  # connections open at once; a browser keeps six
MAX_LISTENERS = 16  # streams open at once; a closed page is noticed after a second or two
READ_SECONDS = 5.0  # seconds without data after which a connection is closed

TOLERANCE = 1e-6  # relative gap at which a margin is certified here: further digits would not be visible
SOLVE_SECONDS = (0.05, 5.0)  # range of the time limit that a page may ask for
CHECK_SECONDS = 60.0
SLACK_SECONDS = 10.0  # seconds beyond its own time limit after which a worker is killed
PATIENCE_SECONDS = 2.0  # seconds that a worker has to leave a superseded solve before it is killed
START_SECONDS = 60.0  # seconds that a new worker has for its imports

MAX_WIDTH = 1000
MAX_STEPS = 200_000
RUN_SECONDS = 900.0
FRAMES = 20  # frames per second
UNHEARD_SECONDS = 10.0  # seconds after which a run without a listening page ends
