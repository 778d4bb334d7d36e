"""An environment as a picture: its services, what they use, where they keep data, and how they are reached."""
