"""Puts earshot where it lives: `make install`, `make uninstall` and `make deb`."""
