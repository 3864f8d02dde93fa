"""What is measured, how, and against what; nothing here is imported by the package."""
