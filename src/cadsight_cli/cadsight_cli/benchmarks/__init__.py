"""What is measured, a module a subject; no test, nothing fails for being slow."""
