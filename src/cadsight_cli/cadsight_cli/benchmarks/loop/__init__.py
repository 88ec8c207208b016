"""What chooses, keeps and admits while a cell runs."""
