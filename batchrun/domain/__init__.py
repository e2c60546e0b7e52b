"""Values and rules of a run, standard library only: what a job, an execution and a status mean."""
