"""What an environment on a Swarm doesn't keep of what one engine does. Pure: `./dashtam doctor` lists it."""

from __future__ import annotations

UNKEPT = (
    "Ports are published on every address of each node, not on 127.0.0.1: dashtam:target.expose consents to that.",
    (
        "A container may gain privileges by a set-user-ID program: the Docker plugin can't declare no-new-privileges"
        ' for a service. Set `"no-new-privileges": true` in daemon.json of each node.'
    ),
    "The number of processes in a container isn't limited: the Docker plugin can't declare it for a service.",
    "Folders in memory, such as /tmp and /dev/shm, have no limit of their own: they count towards the memory limit.",
    "Swap isn't limited: a container may swap as much as its memory limit again, on a node that has swap.",
    "Postgres and Redis run on one node: while it is down, so are they.",
    "An update of the edge ends the connections through one node at a time, and `up` doesn't wait for its end.",
    "What ends is always started again, after five seconds: dashtam:containers.restart holds for one engine.",
)
