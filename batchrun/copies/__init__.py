"""Runs a job on copies of its project and databases; shared by what needs many runs and may touch no original."""
