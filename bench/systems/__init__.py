"""The reference peer and the limit: a server and a driver each, in the environment of the project."""
