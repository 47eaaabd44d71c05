"""The faults that either role may have, by area. Each class overrides one duty of the honest peer."""
