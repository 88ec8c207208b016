"""What every node of ours does alike: parameters, states, signals, peers, and how it ends."""
