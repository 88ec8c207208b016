"""The borders between messages and plain Python, shared by the nodes; no algorithm lives here."""
