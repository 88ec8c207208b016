"""Scenes, the engines that draw them, and the labels of what they drew."""
