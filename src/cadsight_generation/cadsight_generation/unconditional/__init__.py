"""Images out of random numbers: generators trained against critics, from few images."""
