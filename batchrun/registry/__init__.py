"""The registry: from a component's role and name to its class and spec, and to the Python files beside a job."""

from batchrun.registry.catalogue import Registry
from batchrun.registry.errors import DuplicateComponentError, RegistryError, UnknownComponentError
from batchrun.registry.local_modules import LocalModules

__all__ = ["DuplicateComponentError", "LocalModules", "Registry", "RegistryError", "UnknownComponentError"]
