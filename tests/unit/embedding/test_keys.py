"""What type checkers know of the keys is what a job file has."""

from __future__ import annotations

import msgspec
import pytest

from batchrun.definition import shape
from batchrun.embedding import keys


@pytest.mark.parametrize(
    ("typed", "mapping", "first"),
    [
        (keys.JobKeys, shape.JobShape, "name"),
        (keys.StepKeys, shape.StepShape, "name"),
        (keys.TransitionKeys, shape.TransitionShape, "from"),
        (keys.ParameterKeys, shape.ParameterShape, "type"),
    ],
)
def test_every_key_of_a_job_file_has_a_type_in_code(typed: type, mapping: type[msgspec.Struct], first: str) -> None:
    in_file = {field.encode_name for field in msgspec.structs.fields(mapping)}
    assert in_file - {first} == set(typed.__annotations__), f"add the new ones to {typed.__name__}"
