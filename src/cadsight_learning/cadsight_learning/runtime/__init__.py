"""How networks are computed: the machine, torch's device and precision, exports and the sessions that run them."""
