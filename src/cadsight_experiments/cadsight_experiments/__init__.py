"""Trainings on several sets beside each other, and what synthetic images are worth."""
