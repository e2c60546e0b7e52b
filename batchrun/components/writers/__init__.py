"""Writers: where items go."""
