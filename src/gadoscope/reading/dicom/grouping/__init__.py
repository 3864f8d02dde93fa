"""Which instances are one series, where UIDs say it and where they do not."""
