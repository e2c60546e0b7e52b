"""What an operator does with jobs: launch and restart them, and read what happened."""
