"""Faster R-CNN and Mask R-CNN, with the networks of torchvision."""
