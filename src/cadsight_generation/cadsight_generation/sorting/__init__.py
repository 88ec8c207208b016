"""Generated images told apart: new and good, nearly, poor, or a copy of a training image."""
