"""Cameras without a driver of their own: videos, webcams and streams; and a page that shows what is published."""
