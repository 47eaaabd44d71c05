"""The faults that either role may have, by area. Each class is one fault: it overrides one duty of the honest peer."""
