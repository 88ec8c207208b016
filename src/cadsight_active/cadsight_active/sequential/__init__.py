"""Tests that may be looked at after every image: their bounds hold for the whole deployment."""
