"""The loop that learns after deployment: alarm, batch, labels, training, gate, swap; every step in one history."""
