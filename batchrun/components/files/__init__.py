"""Files as the readers and writers of the catalogue need them: byte sources, blocks of records, part files."""
