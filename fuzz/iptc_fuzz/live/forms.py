"""Messages of a live stream in every form: as good as the shortest, or wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

from iptc_conformance.msgpack_writer import encode


class Form(NamedTuple):
    """A body about a call, and the item that it hands over if it is legal (tagged)."""

    body: bytes
    item: Any = None


_STR_HEADS = ((b"\xd9", 1), (b"\xda", 2), (b"\xdb", 4))
_ITEMS: tuple[tuple[str, Any], ...] = (
    *((form, 1) for form in ("cc01", "cd0001", "ce00000001", "cf0000000000000001")),
    *((form, 1) for form in ("d001", "d10001", "d200000001", "d30000000000000001")),
    *((form, -1) for form in ("d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff")),
    *((form, "x") for form in ("d90178", "da000178", "db0000000178")),
    *((form, {"$bin": "78"}) for form in ("c50001" + "78", "c600000001" + "78")),
    *((form, [1]) for form in ("dc000101", "dd0000000101")),
    *((form, {"k": 1}) for form in ("de0001a16b01", "df00000001a16b01", "81d9016b01")),
    *((form, {"$ext": [5, "78"]}) for form in ("c7010578", "c800010578", "c9000000010578")),
    ("ca3f000000", 0.5),
)
"""Values in forms that are not the shortest, and what they are."""


def long_str(text: str, head: int) -> bytes:
    """A str in the form with a length of 1, 2 or 4 bytes."""
    data = text.encode()
    first, size = _STR_HEADS[head % 3]
    return first + len(data).to_bytes(size, "big") + data


def _pairs(*pairs: tuple[bytes, bytes]) -> bytes:
    return bytes([0x80 + len(pairs)]) + b"".join(key + value for key, value in pairs)


_ONE = b"\x01"


def good(cid: str) -> list[Form]:
    """Items for a call with this cid, each in another form."""
    key, name, own = encode("yield"), encode("cid"), encode(cid)
    plain = [
        _pairs((name, own), (key, _ONE)),
        b"\xde\x00\x02" + _pairs((key, _ONE), (name, own))[1:],
        b"\xdf\x00\x00\x00\x02" + _pairs((key, _ONE), (name, own))[1:],
        *(_pairs((key, _ONE), (name, long_str(cid, head))) for head in range(3)),
        *(_pairs((long_str("yield", head), _ONE), (name, own)) for head in range(3)),
        *(_pairs((key, _ONE), (long_str("cid", head), own)) for head in range(3)),
    ]
    valued = [Form(_pairs((key, bytes.fromhex(form)), (name, own)), item) for form, item in _ITEMS]
    return [*(Form(body, 1) for body in plain), *valued]


_BAD_VALUES = (
    *("a2c328", "a1ff", "81a2c32801", "91a1ff"),  # no UTF-8, as a value, as a key, inside
    *(
        "818001",
        "819001",
        "81818080",
        "8191c401ff01",
        "81c7010578" + "01",
        "81d4057801",
        "81c001",
        "81c4016b01",
    ),
    *("c703ff010203", "d6ff", "c708ff0000000000000000", "c70cffffffffff0000000000000000"),
    *("82a16b01a16b02", "c1", "92", "d9"),
)
_BAD_ERRORS = (
    *("a46f6f7073", "80", "c0", "c2", "90"),
    *("81a8747970655f737472a158", "81a674625f737472a0"),
    *("82a8747970655f73747201a674625f737472a0", "82a8747970655f737472a158a674625f737472c0"),
    *("83a8747970655f737472a158a674625f737472a0a46d6f726501",),
    *("82c408747970655f737472a158a674625f737472a0",),
    *("82a8747970655f737472a1ffa674625f737472a0",),
)
_STOPS = ("c2", "c0", "01", "00", "a474727565", "91c3", "cb3ff0000000000000")
_FUNCTYPES = ("c0", "05", "a866756e6374696f6e", "a0", "c3")


def bad(cid: str) -> list[bytes]:
    """Messages about a call with this cid, each wrong in itself."""
    key, name, own = encode("yield"), encode("cid"), encode(cid)
    item, ours = (key, _ONE), (name, own)
    error, stop = encode("error"), encode("stop")
    fine_error = encode({"type_str": "X", "tb_str": ""})
    shapes = [
        _pairs(item, item, ours),
        _pairs(item, (key, b"\x02"), ours),
        _pairs(item, ours, ours),
        _pairs(item, ours, (name, encode(f"{cid}x"))),
        _pairs(item, ours, (encode("more"), _ONE)),
        _pairs((encode("more"), _ONE), item, ours),
        _pairs(item, ours, (_ONE, _ONE)),
        _pairs(item, ours, (b"\xc0", _ONE)),
        _pairs(item, ours, (b"\x80", _ONE)),
        _pairs(item, ours, (encode(b"cid"), own)),
        _pairs((encode(b"yield"), _ONE), ours),
        _pairs(item, (encode(b"cid"), own)),
        _pairs(item),
        _pairs(ours),
        _pairs(item, (encode("return"), _ONE), ours),
        _pairs(item, (stop, b"\xc3"), ours),
        _pairs((stop, b"\xc3"), (error, fine_error), ours),
        _pairs((encode("Yield"), _ONE), ours),
        _pairs((encode("yield "), _ONE), ours),
        _pairs((encode("next"), _ONE), ours),
        _pairs((encode("msg_type"), encode("Yield")), (encode("pld"), _ONE), ours),
        _pairs(item, (encode("CID"), own)),
        _pairs(item, (name, encode(cid.encode()))),
        *(_pairs(item, (name, wrong)) for wrong in _WRONG_CIDS),
        _pairs(item, ours) + b"\xc0",
        _pairs(item, ours) + _pairs(item, ours),
        _pairs(item, ours)[:-1],
        b"\x91" + _pairs(item, ours),
        b"\xc4\x05" + b"hello",
        b"\xa1\xff",
        _pairs((b"\xa1\xff", _ONE), ours),
        _pairs(item, ours, (b"\xa1\xff", _ONE)),
        _pairs(item, ours, (b"\x91\xc0", _ONE)),
    ]
    return [
        *shapes,
        *(_pairs((key, bytes.fromhex(value)), ours) for value in _BAD_VALUES),
        *(_pairs((error, bytes.fromhex(value)), ours) for value in _BAD_ERRORS),
        *(_pairs((stop, bytes.fromhex(value)), ours) for value in _STOPS),
        *(_pairs((encode("functype"), bytes.fromhex(value)), ours) for value in _FUNCTYPES),
    ]


_WRONG_CIDS = (
    *(b"\xa0", b"\xc0", b"\x07", b"\xc2", b"\x90", b"\x91\x01", b"\x80", b"\xa1\xff", b"\xc4\x01c"),
    *(encode("x" * 257), encode("é" * 129), b"\xd4\x05x", b"\xcb" + bytes(8)),
)
GOOD = len(good("x"))
BAD = len(bad("x"))


def commands(cid: str) -> list[bytes]:
    """OPENs of `echo` under this cid that are wrong whoever says them."""
    name, own, cmd = encode("cid"), encode(cid), encode("cmd")

    def array(*parts: Any) -> bytes:
        return bytes([0x90 + len(parts)]) + b"".join(encode(part) for part in parts)

    uid = ["n", "u"]
    fine = array("n", "echo", {"value": 1}, uid, cid)
    return [
        _pairs((cmd, fine), (name, own)),
        _pairs((cmd, fine), (cmd, fine)),
        _pairs((cmd, fine), (encode("more"), _ONE)),
        _pairs((cmd, array("n", "echo", {"value": 1}, uid)), (name, own)),
        _pairs((cmd, array("n", "echo", {"value": 1}, uid, cid, 1))),
        _pairs((cmd, array("n", "echo", {"value": 1}, uid))),
        _pairs((cmd, array())),
        _pairs((cmd, b"\xc0")),
        _pairs((cmd, encode({"func": "echo"}))),
        *(_pairs((cmd, fine[: -len(own)] + wrong)) for wrong in _WRONG_CIDS),
        _pairs((encode(b"cmd"), fine)),
        _pairs((encode("cmd"), array(b"n", "echo", {}, uid, cid))),
        _pairs((encode("cmd"), array("n", b"echo", {}, uid, cid))),
        _pairs((encode("cmd"), array("n", "echo", {}, "u", cid))),
        _pairs((encode("cmd"), array("n", "echo", {}, ["n", "u", "v"], cid))),
        _pairs((encode("cmd"), array("n", "echo", {}, ["n", 1], cid))),
        _pairs((encode("cmd"), array("n", "echo", None, uid, cid))),
        _pairs((encode("cmd"), array("n", "echo", [], uid, cid))),
        _pairs((encode("cmd"), array("n", "echo", 5, uid, cid))),
    ]
