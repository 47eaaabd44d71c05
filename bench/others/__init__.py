"""Servers and drivers on other libraries. Each runs in an environment that has its library.

They are not type-checked, as the libraries are not installed beside the type checker.
"""
