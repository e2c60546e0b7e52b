"""The Python API: what `import batchrun` has. Runs jobs as the command line does, and builds them in code."""

from batchrun.embedding.component import Component, deciders, processors, readers, tasklets, writers
from batchrun.embedding.exploring import history, show
from batchrun.embedding.job import Job, Parameter, Step, Transition
from batchrun.embedding.launching import launch, restart, validate
from batchrun.embedding.run import Run
from batchrun.embedding.starting import start

__all__ = [
    "Component",
    "Job",
    "Parameter",
    "Run",
    "Step",
    "Transition",
    "deciders",
    "history",
    "launch",
    "processors",
    "readers",
    "restart",
    "show",
    "start",
    "tasklets",
    "validate",
    "writers",
]
