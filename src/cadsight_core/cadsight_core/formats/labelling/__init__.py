"""What goes to labelling tools and comes back from them, whichever tool it is."""
