"""Files of weights: read and written safely, downloaded by known hash, or shipped with us."""
