"""The live fuzzer of callers: dishonest callees, drawn, put to drivers, and handed back as small cases."""
