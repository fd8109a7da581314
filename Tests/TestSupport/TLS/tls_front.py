"""Speaks TLS on a free port of the loopback interface, and hands what it hears on to a port without TLS.

Usage: tls_front.py PORT DIRECTORY

In DIRECTORY it makes ca.pem and certificates signed by that authority or not, and writes its own port to "port". Which
certificate it shows stands in "certificate", which it reads again when it gets SIGHUP; it then closes all connections, so
that clients see the new one, and writes the name to "shown".
"""

import asyncio
import datetime
import ipaddress
import pathlib
import signal
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


class Authority:
    """Who signs certificates."""

    def __init__(self, name):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())

    def certificate(self, subject, key, names, is_authority=False, until=NOW + DAY):
        builder = (
            x509.CertificateBuilder(self.name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(NOW - 3 * DAY)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def own_certificate(self):
        return self.certificate(self.name, self.key, [], is_authority=True)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def context(directory, name, authority, names, until=NOW + DAY):
    """What a connection is begun with that shows a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    path = directory / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + pem(authority.certificate(subject, key, names, until=until))
    )
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.load_cert_chain(path)
    return result


def contexts(directory):
    """One for each name of `TLSFront.Certificate`."""
    known, stranger = Authority("tractfs tests"), Authority("a stranger")
    (directory / "ca.pem").write_bytes(pem(known.own_certificate()))
    ours = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    return {
        "trusted": context(directory, "trusted", known, ours),
        "stranger": context(directory, "stranger", stranger, ours),
        "otherName": context(directory, "otherName", known, [x509.DNSName("other.example")]),
        "expired": context(directory, "expired", known, ours, until=NOW - DAY),
    }


class Front:
    def __init__(self, port, directory):
        self.port = port
        self.directory = directory
        self.contexts = contexts(directory)
        self.writers = set()

    def show(self):
        """Shows the certificate whose name stands in the file."""
        name = (self.directory / "certificate").read_text()
        self.shown = self.contexts[name]
        for writer in list(self.writers):
            writer.transport.abort()
        (self.directory / "shown").write_text(name)

    async def serve(self):
        self.show()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.show)
        # The parent process may have blocked it.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

        def choose(connection, name, _):
            connection.context = self.shown

        # A context of its own to listen with: one whose certificate is shown would be changed by its own callback.
        listening = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        listening.load_cert_chain(self.directory / "trusted.pem")
        listening.sni_callback = choose
        # A session that is resumed shows no certificate at all.
        listening.options |= ssl.OP_NO_TICKET
        listening.num_tickets = 0
        server = await asyncio.start_server(self.connect, "127.0.0.1", 0, ssl=listening, backlog=1024)
        (self.directory / "port.new").write_text(str(server.sockets[0].getsockname()[1]))
        (self.directory / "port.new").rename(self.directory / "port")
        await server.serve_forever()

    async def connect(self, client_reader, client_writer):
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return client_writer.transport.abort()
        self.writers.add(client_writer)
        await asyncio.gather(pass_on(client_reader, server_writer), pass_on(server_reader, client_writer))
        self.writers.discard(client_writer)


async def pass_on(reader, writer):
    """Until either end is closed."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (OSError, ssl.SSLError):
        pass
    writer.close()


asyncio.run(Front(int(sys.argv[1]), pathlib.Path(sys.argv[2])).serve())
