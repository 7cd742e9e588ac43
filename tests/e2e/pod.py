#!/usr/bin/env python3
"""What runs in a pod of the tests on the wire: servers, probes, streams, floods and counters.

Commands come as JSON lines on standard input, {"id": N, "do": NAME, ...}, and are carried out at
once, side by side; each is answered by a line {"id": N, "is": RESULT} or {"id": N, "error": TEXT}.
wire.py starts it in a pod's namespace, and talks to it."""
import asyncio
import collections
import json
import os
import random
import socket
import struct
import sys
import time

import sctp

KERNEL_PROTOCOLS = {"TCP": 6, "SCTP": sctp.PROTOCOL}
PING = b"npf over the wire\n"
ETH_P_ALL = 3
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def kernel_has_sctp():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, sctp.PROTOCOL).close()
        return True
    except OSError:
        return False


# Servers.

async def _serve_stream(reader, writer):
    """Echoes; answers a GET of HTTP; counts what follows SINK, and tells the count at its end."""
    try:
        data = await reader.read(65536)
        if data.startswith(b"GET "):
            writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        elif data.startswith(b"SINK"):
            count = len(data)
            while data:
                data = await reader.read(1 << 20)
                count += len(data)
            writer.write(b"%d\n" % count)
        else:
            while data:
                writer.write(data)
                await writer.drain()
                data = await reader.read(65536)
        await writer.drain()
        writer.close()
    except OSError:
        writer.transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


def _listener(family, kind, protocol, port):
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    made.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
    made.setblocking(False)
    return made


def _answer_sctp(raw, family, ports):
    data, address = raw.recvfrom(65536)
    if family == socket.AF_INET:
        data = data[(data[0] & 15) * 4:]
    reply = sctp.answer(data, ports)
    if reply:
        try:
            raw.sendto(reply, (address[0], 0))
        except OSError:
            pass


def _raw_sctp(family):
    raw = socket.socket(family, socket.SOCK_RAW, sctp.PROTOCOL)
    raw.setblocking(False)
    return raw


async def serve(command):
    loop = asyncio.get_running_loop()
    streams = [(6, port) for port in command.get("TCP", [])]
    if kernel_has_sctp():
        streams += [(sctp.PROTOCOL, port) for port in command.get("SCTP", [])]
    for family in (socket.AF_INET, socket.AF_INET6):
        for protocol, port in streams:
            listener = _listener(family, socket.SOCK_STREAM, protocol, port)
            keep(await asyncio.start_server(_serve_stream, sock=listener, backlog=128))
        for port in command.get("UDP", []):
            listener = _listener(family, socket.SOCK_DGRAM, 17, port)
            keep(await loop.create_datagram_endpoint(_Datagrams, sock=listener))
        if command.get("SCTP") and not kernel_has_sctp():
            raw = _raw_sctp(family)
            loop.add_reader(raw, _answer_sctp, raw, family, set(command["SCTP"]))
            keep(raw)
    return True


# Probes: "open", "refused", "timeout" or what the kernel said.

async def _probe_stream(probe):
    loop = asyncio.get_running_loop()
    made = socket.socket(family_of(probe["to"]), socket.SOCK_STREAM, KERNEL_PROTOCOLS[probe["proto"]])
    made.setblocking(False)
    with made:
        await loop.sock_connect(made, (probe["to"], probe["port"]))
        await loop.sock_sendall(made, PING)
        got = await loop.sock_recv(made, 64)
    return "open" if got == PING else f"answered {got!r}"


async def _probe_udp(probe):
    loop = asyncio.get_running_loop()
    with socket.socket(family_of(probe["to"]), socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        made.connect((probe["to"], probe["port"]))
        made.send(PING)
        got = await loop.sock_recv(made, 64)
    return "open" if got == PING else f"answered {got!r}"


async def _probe_sctp(probe):
    if kernel_has_sctp():
        return await _probe_stream(probe)
    loop = asyncio.get_running_loop()
    family = family_of(probe["to"])
    port, tag = random.randrange(32768, 61000), random.randrange(1, 1 << 32)
    with _raw_sctp(family) as raw:
        raw.sendto(sctp.init(port, probe["port"], tag), (probe["to"], 0))
        while True:
            data = await loop.sock_recv(raw, 65536)
            if family == socket.AF_INET:
                data = data[(data[0] & 15) * 4:]
            reply, stands = sctp.next_step(data, port, probe["port"], tag)
            if stands:
                return "open"
            if reply:
                raw.sendto(reply, (probe["to"], 0))


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


async def _probe_icmp(probe):
    loop = asyncio.get_running_loop()
    family = family_of(probe["to"])
    v6 = family == socket.AF_INET6
    request, reply = (128, 129) if v6 else (8, 0)
    ident = random.randrange(1 << 16)
    echo = struct.pack("!BBHHH", request, 0, 0, ident, 1) + bytes(range(56))
    if not v6:
        echo = echo[:2] + struct.pack("!H", _checksum(echo)) + echo[4:]
    with socket.socket(family, socket.SOCK_RAW, 58 if v6 else 1) as raw:
        raw.setblocking(False)
        raw.sendto(echo, (probe["to"], 0))
        while True:
            data = await loop.sock_recv(raw, 65536)
            if not v6:
                data = data[(data[0] & 15) * 4:]
            if data[0] == reply and data[4:6] == struct.pack("!H", ident):
                return "open"


PROBES = {"TCP": _probe_stream, "UDP": _probe_udp, "SCTP": _probe_sctp, "ICMP": _probe_icmp}


async def _probe(probe):
    try:
        return await asyncio.wait_for(PROBES[probe["proto"]](probe), probe.get("timeout", 1.0))
    except asyncio.TimeoutError:
        return "timeout"
    except ConnectionRefusedError:
        return "refused"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)


async def probes(command):
    return await asyncio.gather(*map(_probe, command["probes"]))


# Streams: one TCP connection that asks and is answered every few milliseconds.

class _Stream:
    def __init__(self):
        self.echoes, self.last, self.ended = 0, time.monotonic(), ""

    async def run(self, command):
        try:
            reader, writer = await asyncio.open_connection(command["to"], command["port"])
            keep(writer)
            while True:
                writer.write(b"%015d\n" % self.echoes)
                await reader.readexactly(16)
                self.echoes, self.last = self.echoes + 1, time.monotonic()
                await asyncio.sleep(0.005)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.ended = repr(error)


STREAMS = {}


async def stream(command):
    STREAMS[command["name"]] = made = _Stream()
    keep(asyncio.create_task(made.run(command)))
    return True


async def stream_state(command):
    """Answers so far, seconds since the last, and how it ended."""
    made = STREAMS[command["name"]]
    return {"echoes": made.echoes, "silent": time.monotonic() - made.last, "ended": made.ended}


async def send(command):
    """Sends so many bytes to a server's sink; what it counted."""
    reader, writer = await asyncio.open_connection(command["to"], command["port"])
    writer.write(b"SINK" + bytes(command["bytes"] - 4))
    await writer.drain()
    writer.write_eof()
    counted = int(await reader.readline())
    writer.close()
    return counted


async def hold(command):
    """Tries to open so many connections and keeps them open; how many stood."""
    async def one():
        try:
            keep(await asyncio.wait_for(asyncio.open_connection(command["to"], command["port"]), command["seconds"]))
            return 1
        except (OSError, asyncio.TimeoutError):
            return 0
    return sum(await asyncio.gather(*(one() for _ in range(command["count"]))))


# Floods: datagrams without end; and what of them arrives.

FLOODS = {}


async def _flood(sockets, sent, pause):
    while True:
        for name, made in sockets:
            try:
                made.send(PING)
                sent[name] += 1
            except OSError:
                sent["failed"] += 1
        await asyncio.sleep(pause)


async def flood(command):
    """To each of `to`, [address, port], from `sources` ports each, every `pause` seconds."""
    sockets = []
    for address, port in command["to"]:
        for _ in range(command.get("sources", 1)):
            made = socket.socket(family_of(address), socket.SOCK_DGRAM)
            made.setblocking(False)
            made.connect((address, port))
            sockets.append((str(port), made))
    sent = collections.Counter()
    FLOODS[command["name"]] = (asyncio.create_task(_flood(sockets, sent, command["pause"])), sent, sockets)
    return True


async def flood_sent(command):
    return FLOODS[command["name"]][1]


async def flood_stop(command):
    task, sent, sockets = FLOODS.pop(command["name"])
    task.cancel()
    for _, made in sockets:
        made.close()
    return sent


async def raw(command):
    """So many packets of a protocol, with nothing that anybody could read in them."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if command["protocol"] == 17 else socket.SOCK_RAW, command["protocol"])
    with made:
        for number in range(command["count"]):
            made.sendto(struct.pack("!II", 0x1234, number) + os.urandom(56), (command["to"], command.get("port", 0)))
            await asyncio.sleep(0.01)
    return True


async def fragments(command):
    """First fragments of so many datagrams, of which the rest never comes. Past the kernel, which may join them."""
    link = bytes.fromhex((command["to_mac"] + command["mac"]).replace(":", "")) + b"\x08\x00"
    sent = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as made:
        made.bind(("eth0", 0))
        for number in range(command["count"]):
            udp = struct.pack("!HHHH", 4000, 7001, 1008, 0) + bytes(16)
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number & 0xFFFF, 0x2000, 64, 17, 0,
                                 socket.inet_aton(command["from"]), socket.inet_aton(command["to"]))
            header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
            try:
                made.send(link + header + udp)
                sent += 1
            except OSError:
                pass
            if number % 20 == 0:
                await asyncio.sleep(0.002)
    return sent


async def quiet(_):
    """Ends every flood."""
    for name in list(FLOODS):
        await flood_stop({"name": name})
    return True


COUNTS = collections.Counter()
COUNTING = set()


def _key_of(frame):
    """ "PROTOCOL/destination port" of an IP packet, else what it is."""
    ethertype = int.from_bytes(frame[12:14], "big")
    if ethertype == 0x0800:
        protocol, at = frame[23], 14 + (frame[14] & 15) * 4
    elif ethertype == 0x86DD:
        protocol, at = frame[20], 54
    else:
        return f"0x{ethertype:04x}"
    if protocol in (6, 17, sctp.PROTOCOL):
        return f"{protocol}/{int.from_bytes(frame[at + 2:at + 4], 'big')}"
    return f"{protocol}/{frame[at]}" if len(frame) > at else str(protocol)


def _count(sniffer):
    try:
        while True:
            frame, address = sniffer.recvfrom(128)
            if address[2] != PACKET_OUTGOING:
                COUNTS[_key_of(frame)] += 1
    except BlockingIOError:
        pass


async def count(command):
    """Counts, from now on, every frame that comes in by `device`, once, however often this is asked."""
    if command.get("device", "eth0") in COUNTING:
        return True
    COUNTING.add(command.get("device", "eth0"))
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    sniffer.bind((command.get("device", "eth0"), ETH_P_ALL))
    sniffer.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
    sniffer.setblocking(False)
    asyncio.get_running_loop().add_reader(sniffer, _count, sniffer)
    keep(sniffer)
    return True


async def counted(_):
    return COUNTS


COMMANDS = {f.__name__: f for f in (serve, probes, stream, stream_state, send, hold, raw, fragments, flood, flood_sent,
                                    flood_stop, quiet, count, counted)}
_KEPT = []


def keep(thing):
    """For as long as the process runs."""
    _KEPT.append(thing)


async def _carry_out(command):
    try:
        reply = {"is": await COMMANDS[command["do"]](command)}
    except (OSError, ValueError, KeyError) as error:
        reply = {"error": repr(error)}
    sys.stdout.write(json.dumps({"id": command["id"], **reply}) + "\n")
    sys.stdout.flush()


async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.create_task(_carry_out(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    os._exit(0)  # whatever is still open


if __name__ == "__main__":
    asyncio.run(main())
