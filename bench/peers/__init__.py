"""What we are compared with. Each is a process of its own, with the same event loop on the same core."""
