"""What is known of hands before anything is seen: how fingers move together, where they rest, where hands touch."""
