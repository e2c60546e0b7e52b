"""From a job with its parameters to what can be measured of it; looks at no data, and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from batchrun.binding import Secrets
from batchrun.copies.subject import subject_of
from batchrun.definition import LoadedJob, read_parameters
from batchrun.operations.job_files import JobFiles
from batchrun.tune.acting import is_builtin
from batchrun.tune.needs import Needs
from batchrun.tune.plan import Launched, plan_of
from batchrun.tune.tuning import TuneSettings, Tuning


def prepared(
    loaded: LoadedJob, project: Path, given: Mapping[str, object], steps: Sequence[str], settings: TuneSettings
) -> Tuning:
    """Returns what measures a job.

    Args:
        loaded: from its file.
        project: its project folder.
        given: as `Application.launch` takes them.
        steps: names of those to measure; none is all chunk steps.
        settings: how it is measured.

    Raises:
        DefinitionError: the parameters are wrong.
        UsageError: the project cannot be copied, or there is nothing to measure.
    """
    secrets = Secrets()
    parameters = read_parameters(loaded, given, Path.cwd(), project=project, secrets=secrets)
    launched = Launched(loaded, parameters, secrets, JobFiles(project, stays=True).child)
    needs = Needs.of(loaded.definition, partial(is_builtin, loaded))
    plan = plan_of(launched, needs, list(steps), with_effects=settings.with_effects)
    return Tuning(subject_of(loaded, project, given, with_effects=True), plan, settings)
