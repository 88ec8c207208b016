"""Parts added from CAD files, checked and drawn."""
