"""From a job file, or a job built in code, to its definition: YAML, positions, schema, lints; the engine sees none."""

from batchrun.definition.built import BuiltJob
from batchrun.definition.loaded import LoadedJob
from batchrun.definition.loading import load_built, load_job
from batchrun.definition.parameter_file import read_parameter_file
from batchrun.definition.parameters import read_moved_paths, read_parameters, refuse_identifying
from batchrun.definition.rendering import render

__all__ = [
    "BuiltJob",
    "LoadedJob",
    "load_built",
    "load_job",
    "read_moved_paths",
    "read_parameter_file",
    "read_parameters",
    "refuse_identifying",
    "render",
]
