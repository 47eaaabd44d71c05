"""The faults of a caller, by area. Each class is one fault: it overrides one duty of the honest caller."""
