"""What computes a network: the machine, torch's device and precision, exports and the sessions that run them."""
