"""A DNS server on loopback that answers what a test tells it to."""

from __future__ import annotations

import socketserver
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


class DnsServer:
    """Answers from `zone`: (name, kind) -> the records' texts; everything else does not exist."""

    def __init__(self, zone: dict[tuple[str, str], list[str]]) -> None:
        server = self
        self.zone = zone
        self.asked: list[tuple[str, str]] = []

        class Handler(socketserver.DatagramRequestHandler):
            def handle(self) -> None:
                self.wfile.write(server.answer(self.rfile.read()))

        self._server = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def answer(self, wire: bytes) -> bytes:
        """The answer to one question."""
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        records = self.zone.get((name, kind))
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        else:
            response.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, records))
        return response.to_wire()

    def resolver(self) -> dns.resolver.Resolver:
        """A resolver that asks this server only."""
        made = dns.resolver.Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = int(self._server.server_address[1])
        return made

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
