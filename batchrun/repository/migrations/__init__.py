"""Alembic migrations: how the repository's tables came to be what they are; loaded only where they are behind."""
