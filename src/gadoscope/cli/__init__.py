"""One file a command; heavy imports stand inside the commands."""
