"""A driver of a few lines, honest or broken in the way that its first argument says.

It knows unary calls alone: enough to see what the suite makes of a driver, rather than of a peer.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time

from iptc_conformance.driving.inbound import interpret
from iptc_conformance.msgpack_writer import encode
from iptc_conformance.wire import Deframer

HOW = sys.argv[1] if len(sys.argv) > 1 else ""
UID = ["scratch", f"uuid-{os.getpid()}"]
NAMESPACE = os.environ["IPTC_NAMESPACE"]
pending: dict[str, int] = {}


def say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def frame(value: object) -> bytes:
    body = encode(value)
    return len(body).to_bytes(4, "little") + body


def read(sock: socket.socket) -> None:
    deframer = Deframer()
    while chunk := sock.recv(65536):
        for cut in deframer.feed(chunk):
            seen = interpret(cut.body or b"")
            if seen.kind in {"result", "fail"} and seen.cid in pending:
                outcome = {"outcome": "return", "value": seen.value}
                if seen.kind == "fail":
                    outcome = {"outcome": "error", "type": seen.value}
                number = pending.pop(seen.cid)
                for _ in range(2 if HOW == "twice" else 1):
                    say({"id": number, **outcome})
    for number in pending.values():
        say({"id": number, "outcome": "disconnected"})


def obey(sock: socket.socket, op: dict[str, object]) -> None:
    if HOW == "dies" and op["id"] != 1:
        sys.stderr.write("no idea how to go on\n")
        os._exit(3)
    if HOW == "mute":
        return
    if op["op"] != "call":
        say({"id": op["id"], "outcome": "unsupported", "detail": "calls alone"})
        return
    cid = f"{UID[1]}-{op['id']:08}"
    pending[cid] = op["id"]  # type: ignore[assignment]
    uid = ["another", "uid"] if HOW == "uid" else UID
    sock.sendall(frame({"cmd": [NAMESPACE, op["func"], op["kwargs"], uid, cid]}))


def main() -> None:
    if HOW == "exits":
        sys.exit("there is nothing to do")
    if HOW == "stays-away":
        time.sleep(60)
    sock = socket.create_connection((os.environ["IPTC_HOST"], int(os.environ["IPTC_PORT"])))
    if HOW != "no-hello":
        sock.sendall(frame(UID))
    if HOW == "garbage":
        sys.stdout.write("ready to go!\n")
        sys.stdout.flush()
    threading.Thread(target=read, args=(sock,), daemon=True).start()
    for line in sys.stdin:
        obey(sock, json.loads(line))


if __name__ == "__main__":
    main()
