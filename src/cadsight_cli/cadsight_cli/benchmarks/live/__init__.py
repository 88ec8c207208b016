"""The perception node, alone and beside other work."""
