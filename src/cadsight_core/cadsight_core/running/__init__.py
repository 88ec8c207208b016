"""Work that takes long: processes, threads and progress."""
