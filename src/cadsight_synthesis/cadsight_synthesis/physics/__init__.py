"""Bodies that fall and come to rest."""
