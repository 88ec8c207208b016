"""Groups of vectors: k-means, k-medoids and the nearest distinct members."""
