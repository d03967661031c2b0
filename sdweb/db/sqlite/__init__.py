"""SQLite as Django speaks to it, made polite to a process with hundreds of threads."""
