"""The bench: catena beside scriptworker, beside the floor, and beside its critical path."""
