"""Django's SQLite backend for a process with hundreds of threads."""
