"""Files that hold labels: JSON, XML and text."""
