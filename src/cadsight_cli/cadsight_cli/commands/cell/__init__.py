"""Commands of the arm, its camera and what looks live."""
