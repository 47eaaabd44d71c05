"""The faults of a callee, by area. Each class is one fault: it overrides one duty of the honest callee."""
