"""Results in the forms that `--output` asks for: JSON, JUnit XML, GitHub's annotations and step summary."""
