"""What a chunk costs that does nothing: its checkpoint and its progress in the repository, and no target's commit."""

from __future__ import annotations

from benchmarks.contest import Aim, Contest
from benchmarks.peers import batchrun
from benchmarks.place import Place

CHUNKS = 5_000
COMPONENTS = f'''\
from batchrun.spi import Chunk, ComponentSpec, Extent, Options, component


class NoOptions(Options):
    """None."""


class Numbers:
    def __init__(self, first):
        self.first = first

    def of(self, index):
        return f"item {{self.first + index}}"

    def span(self):
        return self.of(0)


@component(ComponentSpec(role="reader", name="numbers", options=NoOptions, summary="Numbers.", example=""))
class NumberReader:
    def __init__(self, options, scope):
        self.count = 0

    def open(self, position):
        self.count = position["count"] if position else 0
        return Extent({CHUNKS})

    def read(self, limit):
        if self.count == {CHUNKS}:
            return None
        self.count += 1
        return Chunk(rows=[{{"n": self.count}}], position={{"count": self.count}}, origins=Numbers(self.count))

    def close(self):
        pass


@component(ComponentSpec(role="writer", name="nowhere", options=NoOptions, summary="Nowhere.", example=""))
class NowhereWriter:
    def __init__(self, options, scope):
        pass

    def connect(self):
        return None

    def open(self, state):
        pass

    def prepare(self, chunk):
        return chunk

    def write(self, prepared):
        return len(prepared)

    def state(self):
        return None

    def finish(self):
        pass

    def close(self):
        pass
'''
JOB = """\
steps:
  - name: work
    chunk: 1
    reader: {type: "nothing:NumberReader"}
    writer: {type: "nothing:NowhereWriter"}
"""


def _prepare(place: Place) -> None:
    folder = place.folder / "jobs.d"
    folder.mkdir(exist_ok=True)
    (folder / "nothing.py").write_text(COMPONENTS)


CONTEST = Contest(
    title=f"{CHUNKS:,} chunks of a reader and a writer that do nothing",
    contenders=[batchrun("work", JOB, {})],
    prepare=_prepare,
    aims=[Aim(None, CHUNKS / 1_000, of_own_seconds=True)],
    rows=None,
    scales=(0.1,),
)
