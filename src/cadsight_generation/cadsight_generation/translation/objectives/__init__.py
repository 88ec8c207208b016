"""What translators descend."""
