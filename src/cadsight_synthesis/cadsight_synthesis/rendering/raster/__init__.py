"""Our own engine on OpenGL."""
