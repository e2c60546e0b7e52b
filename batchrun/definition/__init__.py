"""From a job file to a job definition: YAML, positions, schema, lints; the engine never sees any of it."""

from batchrun.definition.loaded import LoadedJob
from batchrun.definition.loading import load_job
from batchrun.definition.parameter_file import read_parameter_file
from batchrun.definition.parameters import read_parameters
from batchrun.definition.rendering import render

__all__ = ["LoadedJob", "load_job", "read_parameter_file", "read_parameters", "render"]
