"""A name server on UDP port 53, in a network namespace of its test.

    name_server.py LISTEN LOG [ADDRESS ...]

Answers every question for A records with the addresses; without any, there is no such name. An address "silent" answers nothing.
Each question is a line of LOG, which is there once the server listens.
"""

import socket
import struct
import sys

listen, log_path, addresses = sys.argv[1], sys.argv[2], sys.argv[3:]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((listen, 53))
with open(log_path, "a", buffering=1) as log:
    while True:
        question, client = server.recvfrom(4096)
        end = question.index(b"\0", 12) + 5
        (kind,) = struct.unpack("!H", question[end - 4 : end - 2])
        print(kind, file=log)
        if addresses == ["silent"]:
            continue
        answers = addresses if kind == 1 else []
        flags = 0x8180 if addresses else 0x8183
        reply = question[:2] + struct.pack("!HHHHH", flags, 1, len(answers), 0, 0) + question[12:end]
        for address in answers:
            reply += struct.pack("!HHHIH", 0xC00C, 1, 1, 5, 4) + socket.inet_aton(address)
        server.sendto(reply, client)
