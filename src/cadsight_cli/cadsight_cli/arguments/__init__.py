"""What options take and how they become what a command asks for."""
