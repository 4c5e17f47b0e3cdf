"""The learned prior's training: motion to learn from, the network, the comparison with what ships."""
