"""What the package offers is what it names."""

from __future__ import annotations

import inspect

import iptc_codec


def test_all_names_what_is_public_and_nothing_else() -> None:
    """Neither a forgotten name nor a stray one."""
    public = {
        name
        for name, value in vars(iptc_codec).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }
    assert isinstance(iptc_codec.__all__, tuple)
    assert set(iptc_codec.__all__) == public | {"__version__"}
    constants_first = sorted(iptc_codec.__all__, key=lambda name: (not name.isupper(), name))
    assert list(iptc_codec.__all__) == constants_first


def test_everything_public_says_what_it_is() -> None:
    """With its own words, not its base's."""
    for name in iptc_codec.__all__:
        value = getattr(iptc_codec, name)
        if inspect.isclass(value):
            assert value.__doc__, name
            for attribute, member in vars(value).items():
                if not attribute.startswith("_") and inspect.isfunction(member):
                    assert member.__doc__, f"{name}.{attribute}"
        elif inspect.isfunction(value):
            assert value.__doc__, name


def test_the_names_that_applications_need_are_those_of_the_messages() -> None:
    """One home for each."""
    overrun = iptc_codec.Fail.of(iptc_codec.OVERRUN_TYPE, "", "c")
    assert (overrun.is_overrun, overrun.event) == (True, iptc_codec.CallEvent.OVERRUN)
    assert iptc_codec.CANCEL_FUNCTION == ("self", "_cancel_task")
