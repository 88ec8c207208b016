"""What the report holds the figures against: targets and the paper's table."""
